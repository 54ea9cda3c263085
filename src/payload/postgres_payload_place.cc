#include "payload/postgres_payload_place.h"

#include <array>
#include <optional>

#include "base/uuid.h"
#include "db/postgres_database.h"
#include "payload/file.h"

namespace tallyman {
namespace {

constexpr std::string_view kInDatabase = "database";
// What an operator does who wants them elsewhere.
constexpr std::string_view kHowToMove =
    "To begin with another place, stop every node and DELETE FROM "
    "tallyman.payload_place; "
    "uploads that lie in the old one are then lost to the server";

// Nothing where the folder was never used.
Result<std::optional<std::string>> read_identity(const std::string& path) {
  auto opened = File::open(path, File::Mode::kRead);
  if (!opened.ok() && opened.error().code == ErrorCode::kNotFound) {
    return std::optional<std::string>();
  }
  TALLY_TRY(opened);
  const File file = std::move(opened).value();
  TALLY_TRY_ASSIGN(const std::uint64_t size, file.size());
  std::string identity(size, '\0');
  TALLY_TRY(file.read(0, identity));
  if (!Uuid::parse(identity)) {
    return Error{ErrorCode::kInternal, path + " is damaged: it should hold a UUID"};
  }
  return std::optional(std::move(identity));
}

Result<void> write_identity(const std::string& folder, const std::string& path,
                            const std::string& identity) {
  const std::string unfinished = path + "-new";
  TALLY_TRY_ASSIGN(File file, File::open(unfinished, File::Mode::kCreate));
  TALLY_TRY(file.write(0, identity));
  TALLY_TRY(file.sync());
  TALLY_TRY(rename_file(unfinished, path));
  TALLY_TRY_ASSIGN(File parent, File::open(folder, File::Mode::kFolder));
  return parent.sync();
}

// Nothing where no node has settled it. Whoever asks next waits for this transaction.
Result<std::optional<std::string>> settled_place(db::PostgresConnection& connection) {
  TALLY_TRY(connection.exec("LOCK TABLE tallyman.payload_place IN EXCLUSIVE MODE"));
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.exec("SELECT place FROM tallyman.payload_place"));
  if (rows.rows() == 0) return std::optional<std::string>();
  return std::optional<std::string>(rows.text(0, 0));
}

Result<void> settle(db::Transaction& transaction, std::string_view place) {
  TALLY_TRY(
      db::postgres(transaction)
          .execute("INSERT INTO tallyman.payload_place (place) VALUES ($1)", place));
  return transaction.commit();
}

Error elsewhere(std::string message) {
  return {ErrorCode::kConflict, std::move(message) + ". " + std::string(kHowToMove)};
}

}  // namespace

Result<void> settle_payload_database(db::Database& database) {
  TALLY_TRY_ASSIGN(const auto transaction, database.begin_write(database.writer_wait()));
  TALLY_TRY_ASSIGN(const auto settled, settled_place(db::postgres(*transaction)));
  if (settled == kInDatabase) return {};
  if (!settled) return settle(*transaction, kInDatabase);
  return elsewhere(
      "the uploads of this database lie in a folder: set payload = \"disk\" and "
      "payload_folder, as on its other nodes");
}

Result<void> settle_payload_folder(db::Database& database, const std::string& folder,
                                   Random& random) {
  TALLY_TRY_ASSIGN(const auto transaction, database.begin_write(database.writer_wait()));
  TALLY_TRY_ASSIGN(const auto settled, settled_place(db::postgres(*transaction)));
  const std::string path = folder + "/identity";
  TALLY_TRY_ASSIGN(auto identity, read_identity(path));
  if (settled && settled == identity) return {};
  if (settled == kInDatabase) {
    return elsewhere(
        "the uploads of this database lie in the database: set payload = \"database\", "
        "as on its other nodes");
  }
  if (settled) {
    return elsewhere("the uploads of this database lie in another folder than " + folder +
                     ": with payload = \"disk\" every node needs the same one, on a file "
                     "system that they share (or use payload = \"database\")");
  }
  if (identity) {
    return Error{ErrorCode::kConflict,
                 folder +
                     " holds the uploads of another database; name a folder of this "
                     "one's own (or, if no server uses that database any more, "
                     "remove " +
                     path + ")"};
  }
  std::array<std::uint8_t, 16> bytes;
  random.fill(bytes);
  identity = Uuid(bytes).to_string();
  TALLY_TRY(write_identity(folder, path, *identity));
  return settle(*transaction, *identity);
}

}  // namespace tallyman
