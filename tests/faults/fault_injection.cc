// Faults from outside: a library that is loaded before all others into the program under
// test and makes the n-th call of a kind fail, fall short, or be the process's last.
//
//   LD_PRELOAD=build/release/libtallyman_faults.so TALLYMAN_FAULTS=/tmp/t/faults tallyman
//   ...
//
// TALLYMAN_FAULTS names the control file, a struct Control that a test maps and changes
// while the program runs (tests/support/faults.py). Only files below the folder of the
// control file are touched, and never the standard streams. Without the variable, and
// while nothing is armed, every call goes straight on.
//
// SQLite is reached as well: Debian's is a shared library, whose calls of libc, and calls
// of sqlite3_step (those of sqlite3_exec too), come through here. What stdio does inside
// libc does not: fopen and its kin are not seen. So is libpq: a statement is what is sent
// by PQsendQuery or PQsendQueryParams, and it is executed once its first result is there.
//
// The sanitizers' runtimes want to be first. Name them before this library, for example
// LD_PRELOAD="/lib/x86_64-linux-gnu/libasan.so.8 build/asan/libtallyman_faults.so".
//
// Threads: any. Calls are counted atomically: exactly one is the n-th.
#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum Kind : std::uint32_t {
  kWrite = 1 << 0,
  kSync = 1 << 1,
  kTruncate = 1 << 2,
  kRename = 1 << 3,
  kCreate = 1 << 4,  // Of a file that may not be there yet.
  kOpen = 1 << 5,    // Of one that is there.
  kRemove = 1 << 6,
  kMakeFolder = 1 << 7,
  kRead = 1 << 8,
  kStatement = 1 << 9,  // One execution of a SQL statement, however many rows it has.
  kChange = 1 << 10,    // Of a statement that writes, or that bounds what is written.
};

enum Action : std::uint32_t { kCount, kFail, kShort, kCrashBefore, kCrashAfter };

// The same as in tests/support/faults.py.
struct Control {
  std::atomic<std::uint32_t> armed;
  std::uint32_t kinds;  // Of Kind, together.
  std::uint32_t action;
  std::int32_t error_number;
  std::uint32_t sticky;  // All calls after the n-th fail too.
  std::uint32_t logged;  // Each call that counts is appended to "<control file>.log".
  std::uint64_t nth;
  std::atomic<std::uint64_t> reached;  // Calls that counted.
  std::atomic<std::uint64_t> fired;    // Of them: faults.
  char text[192];  // Only paths (or SQL) that hold this; or, with a last '$', end so.
  char what[512];  // The n-th call.
};

Control* control = nullptr;
char folder[PATH_MAX] = "";
std::size_t folder_length = 0;
int log_file = -1;

// Calls that this library makes itself must not come back to it.
int raw_open(const char* path, int flags) {
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

__attribute__((constructor)) void load_control() {
  const char* path = std::getenv("TALLYMAN_FAULTS");
  if (!path || !*path) return;
  const int file = raw_open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* shared =
      mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED || !realpath(path, folder)) std::abort();
  char log_path[PATH_MAX];
  std::snprintf(log_path, sizeof log_path, "%.4000s.log", folder);
  log_file = raw_open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
  *(std::strrchr(folder, '/') + 1) = '\0';
  folder_length = std::strlen(folder);
  control = static_cast<Control*>(shared);
}

bool armed_for(Kind kind) {
  return control && control->armed.load(std::memory_order_acquire) &&
         (control->kinds & kind) != 0;
}

[[noreturn]] void crash() {
  syscall(SYS_kill, getpid(), SIGKILL);
  while (true) pause();
}

// --- Which call it is -----------------------------------------------------------------

enum class Verdict { kPass, kFail, kShort, kCrashAfter };

void append_to_log(const char* name, const char* subject) {
  char line[PATH_MAX + 64];
  const int length = std::snprintf(line, sizeof line, "%s %s\n", name, subject);
  syscall(SYS_write, log_file, line, static_cast<std::size_t>(length));
}

bool is_wanted(const char* subject) {
  const std::size_t size = std::strlen(control->text);
  if (size == 0 || control->text[size - 1] != '$')
    return std::strstr(subject, control->text);
  const std::size_t length = std::strlen(subject);
  return length >= size - 1 &&
         std::strncmp(subject + length - (size - 1), control->text, size - 1) == 0;
}

Verdict judge_named(const char* name, const char* subject) {
  if (!is_wanted(subject)) return Verdict::kPass;
  const std::uint64_t number = ++control->reached;
  if (control->logged) append_to_log(name, subject);
  const bool later = control->sticky && number > control->nth;
  if (control->action == kCount || (number != control->nth && !later))
    return Verdict::kPass;
  if (number == control->nth) {
    std::snprintf(control->what, sizeof control->what, "%s %s", name, subject);
  }
  ++control->fired;
  errno = control->error_number;
  switch (control->action) {
    case kShort: return later ? Verdict::kFail : Verdict::kShort;
    case kCrashBefore: crash();
    case kCrashAfter: return Verdict::kCrashAfter;
    default: return Verdict::kFail;
  }
}

Verdict judge_path(Kind kind, const char* name, const char* path) {
  if (!armed_for(kind)) return Verdict::kPass;
  char whole[PATH_MAX * 2];
  if (path[0] == '/') {
    std::snprintf(whole, sizeof whole, "%s", path);
  } else {
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return Verdict::kPass;
    std::snprintf(whole, sizeof whole, "%s/%s", here, path);
  }
  if (std::strncmp(whole, folder, folder_length) != 0) return Verdict::kPass;
  return judge_named(name, whole);
}

Verdict judge_file(Kind kind, const char* name, int file) {
  if (file <= STDERR_FILENO || !armed_for(kind)) return Verdict::kPass;
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  char path[PATH_MAX];
  const int before = errno;
  const ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return Verdict::kPass;
  path[length] = '\0';
  if (std::strncmp(path, folder, folder_length) != 0) return Verdict::kPass;
  return judge_named(name, path);
}

// What the call gives back. `shortened`: the call with half of its bytes.
template <class Call, class Shortened>
auto perform(Verdict verdict, Call call, Shortened shortened) -> decltype(call()) {
  switch (verdict) {
    case Verdict::kPass: break;
    case Verdict::kFail: return -1;
    case Verdict::kShort: return shortened();
    case Verdict::kCrashAfter: call(); crash();
  }
  return call();
}

template <class Call>
auto perform(Verdict verdict, Call call) -> decltype(call()) {
  return perform(verdict, call, call);
}

}  // namespace

// The next definition of a function: libc's, SQLite's, or a sanitizer's.
#define NEXT(name)                                                    \
  ([]() {                                                             \
    static const auto next =                                          \
        reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name)); \
    return next;                                                      \
  }())

// --- libc -----------------------------------------------------------------------------

#define INTERPOSE_WRITE_AT(name, Offset)                                             \
  extern "C" ssize_t name(int file, const void* bytes, size_t size, Offset offset) { \
    return perform(                                                                  \
        judge_file(kWrite, #name, file),                                             \
        [&] { return NEXT(name)(file, bytes, size, offset); },                       \
        [&] { return NEXT(name)(file, bytes, (size + 1) / 2, offset); });            \
  }
INTERPOSE_WRITE_AT(pwrite, off_t)
INTERPOSE_WRITE_AT(pwrite64, off64_t)

extern "C" ssize_t write(int file, const void* bytes, size_t size) {
  return perform(
      judge_file(kWrite, "write", file), [&] { return NEXT(write)(file, bytes, size); },
      [&] { return NEXT(write)(file, bytes, (size + 1) / 2); });
}

extern "C" ssize_t writev(int file, const iovec* parts, int count) {
  return perform(
      judge_file(kWrite, "writev", file),
      [&] { return NEXT(writev)(file, parts, count); },
      [&] { return NEXT(writev)(file, parts, 1); });
}

extern "C" ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) {
  return perform(
      judge_file(kWrite, "pwritev", file),
      [&] { return NEXT(pwritev)(file, parts, count, offset); },
      [&] { return NEXT(pwritev)(file, parts, 1, offset); });
}

#define INTERPOSE_READ_AT(name, Offset)                                        \
  extern "C" ssize_t name(int file, void* bytes, size_t size, Offset offset) { \
    return perform(judge_file(kRead, #name, file),                             \
                   [&] { return NEXT(name)(file, bytes, size, offset); });     \
  }
INTERPOSE_READ_AT(pread, off_t)
INTERPOSE_READ_AT(pread64, off64_t)

extern "C" ssize_t read(int file, void* bytes, size_t size) {
  return perform(judge_file(kRead, "read", file),
                 [&] { return NEXT(read)(file, bytes, size); });
}

extern "C" int fsync(int file) {
  return perform(judge_file(kSync, "fsync", file), [&] { return NEXT(fsync)(file); });
}

extern "C" int fdatasync(int file) {
  return perform(judge_file(kSync, "fdatasync", file),
                 [&] { return NEXT(fdatasync)(file); });
}

extern "C" int sync_file_range(int file, off64_t offset, off64_t size, unsigned flags) {
  return perform(judge_file(kSync, "sync_file_range", file),
                 [&] { return NEXT(sync_file_range)(file, offset, size, flags); });
}

extern "C" int ftruncate(int file, off_t size) noexcept {
  return perform(judge_file(kTruncate, "ftruncate", file),
                 [&] { return NEXT(ftruncate)(file, size); });
}

extern "C" int ftruncate64(int file, off64_t size) noexcept {
  return perform(judge_file(kTruncate, "ftruncate64", file),
                 [&] { return NEXT(ftruncate64)(file, size); });
}

#define INTERPOSE_OPEN(name)                                                   \
  extern "C" int name(const char* path, int flags, ...) {                      \
    va_list rest;                                                              \
    va_start(rest, flags);                                                     \
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;            \
    va_end(rest);                                                              \
    return perform(judge_path(flags & O_CREAT ? kCreate : kOpen, #name, path), \
                   [&] { return NEXT(name)(path, flags, mode); });             \
  }
INTERPOSE_OPEN(open)
INTERPOSE_OPEN(open64)

extern "C" int rename(const char* from, const char* to) noexcept {
  return perform(judge_path(kRename, "rename", from),
                 [&] { return NEXT(rename)(from, to); });
}

extern "C" int unlink(const char* path) noexcept {
  return perform(judge_path(kRemove, "unlink", path), [&] { return NEXT(unlink)(path); });
}

extern "C" int remove(const char* path) noexcept {
  return perform(judge_path(kRemove, "remove", path), [&] { return NEXT(remove)(path); });
}

extern "C" int mkdir(const char* path, mode_t mode) noexcept {
  return perform(judge_path(kMakeFolder, "mkdir", path),
                 [&] { return NEXT(mkdir)(path, mode); });
}

// --- SQLite ---------------------------------------------------------------------------

namespace {

bool begins_with(const char* text, const char* word) {
  return std::strncmp(text, word, std::strlen(word)) == 0;
}

// What only reads leaves nothing behind: a crash after it is one after the change before.
bool is_change(sqlite3_stmt* statement, const char* sql) {
  return !NEXT(sqlite3_stmt_readonly)(statement) || begins_with(sql, "COMMIT") ||
         begins_with(sql, "SAVEPOINT") || begins_with(sql, "RELEASE") ||
         begins_with(sql, "BEGIN IMMEDIATE");
}

Verdict judge_statement(sqlite3_stmt* statement) {
  const bool every = armed_for(kStatement);
  if (!every && !armed_for(kChange)) return Verdict::kPass;
  if (NEXT(sqlite3_stmt_busy)(statement)) return Verdict::kPass;  // Its next row.
  const char* sql = NEXT(sqlite3_sql)(statement);
  if (!sql) sql = "";
  if (!every && !is_change(statement, sql)) return Verdict::kPass;
  return judge_named("sqlite3_step", sql);
}

}  // namespace

// Only crashes: what a failing statement looks like is for the calls of libc to say.
extern "C" int sqlite3_step(sqlite3_stmt* statement) {
  const Verdict verdict = judge_statement(statement);
  const int code = NEXT(sqlite3_step)(statement);
  if (verdict == Verdict::kCrashAfter) crash();
  return code;
}

// --- libpq ----------------------------------------------------------------------------

namespace {

// The connection whose next result is to be the last thing that the process sees.
std::atomic<PGconn*> last_words{nullptr};

// What only reads, is undone or forgotten at the session's end leaves nothing behind.
bool is_change(const char* sql) {
  for (const char* word :
       {"SELECT", "SET", "BEGIN", "ROLLBACK", "LISTEN", "NOTIFY", "SHOW", "LOCK",
        "SAVEPOINT", "RELEASE", "ANALYZE", "CREATE TEMP"}) {
    if (begins_with(sql, word)) return false;
  }
  if (!begins_with(sql, "WITH")) return true;
  for (const char* word : {"INSERT INTO", "UPDATE", "DELETE FROM"}) {
    if (std::strstr(sql, word)) return true;
  }
  return false;
}

void judge_sent(PGconn* connection, const char* sql) {
  const bool every = armed_for(kStatement);
  if (!every && !(armed_for(kChange) && is_change(sql))) return;
  if (judge_named("PQsendQuery", sql) == Verdict::kCrashAfter) last_words = connection;
}

}  // namespace

extern "C" int PQsendQuery(PGconn* connection, const char* sql) {
  judge_sent(connection, sql);
  return NEXT(PQsendQuery)(connection, sql);
}

extern "C" int PQsendQueryParams(PGconn* connection, const char* sql, int count,
                                 const Oid* types, const char* const* values,
                                 const int* lengths, const int* formats, int format) {
  judge_sent(connection, sql);
  return NEXT(PQsendQueryParams)(connection, sql, count, types, values, lengths, formats,
                                 format);
}

extern "C" PGresult* PQgetResult(PGconn* connection) {
  PGresult* result = NEXT(PQgetResult)(connection);
  if (last_words.load() == connection) crash();
  return result;
}
