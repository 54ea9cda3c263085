#include "app/run_until_signal.h"

#include <malloc.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "worker/stop_flag.h"

namespace tallyman {
namespace {

// Every thread that is started later inherits that the signals are blocked: they are
// taken by sigwait() alone.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Pieces of uploads go back to the system when they are freed, and what windows leave is
// used again: to clear new pages for each window took a third of a load's own time. Left
// to itself, glibc begins to keep the largest blocks, too, and that for each thread anew.
void return_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_ARENA_MAX,
          static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

// Stops the engine; what does not end in time is cut, as a crash would: nothing is lost.
void drain(Engine& engine) {
  StopFlag stopped;
  std::thread watch([&stopped] {
    if (stopped.wait_for(limits::kDrainTime - std::chrono::milliseconds(500))) return;
    log_warning("drain_time_over", {});
    std::_Exit(0);
  });
  engine.stop(limits::kDrainTime / 2);
  stopped.raise();
  watch.join();
}

}  // namespace

int run_until_signal(const ServerConfig& config, NodeRole role) {
  return_large_blocks();
  const sigset_t signals = block_signals();
  set_log_level(config.log_level);
  auto engine = Engine::start(config, role);
  if (!engine.ok()) {
    std::fprintf(stderr, "tallyman: %s\n", engine.error().message.c_str());
    return 2;
  }
  if (role == NodeRole::kServe) {
    std::printf("listening on %s\n", engine.value()->url().c_str());
  } else {
    std::printf("working as %s\n", engine.value()->name().c_str());
  }
  if (const std::string& token = engine.value()->first_token(); !token.empty()) {
    std::printf("a token for an administrator, shown this once: %s\n", token.c_str());
  }
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  log_info("stopping", {{"signal", std::to_string(signal)}});
  drain(*std::move(engine).value());
  log_info("stopped", {});
  return 0;
}

}  // namespace tallyman
