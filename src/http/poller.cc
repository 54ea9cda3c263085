#include "http/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/log.h"

namespace tallyman::http {
namespace {

using std::chrono::milliseconds;

// Connections above the limit that are being told so; past these they are closed unheard.
constexpr std::size_t kRefusedMax = 256;
// For a peer that has been answered for good to take its answer and close.
constexpr auto kEndingTime = std::chrono::seconds(3);
// The same when the server ends. Only peers in the middle of sending can lose their
// answer.
constexpr auto kQuitTime = milliseconds(250);
// Out of descriptors: until others have closed theirs.
constexpr auto kAcceptPause = milliseconds(100);
// How often those who hold threads are looked at while others wait for one.
constexpr auto kPressureInterval = milliseconds(50);
constexpr int kEventsMax = 256;
// 1 MiB at a time of a peer that sends what nobody will read.
constexpr int kDiscardsPerRound = 16;

std::size_t index_of(Phase phase) { return static_cast<std::size_t>(phase); }

void watch(int epoll, int descriptor, std::uint32_t events, void* pointer, bool known) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = pointer;
  CHECK(::epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) ==
        0);
}

}  // namespace

Poller::Poller(const ServerLimits& limits, Descriptor listener, TlsContext* tls,
               RequestThreads& threads)
    : limits_(limits),
      tls_(tls),
      threads_(threads),
      listener_(std::move(listener)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(epoll_.is_open() && wake_.is_open());
  watch(epoll_.get(), wake_.get(), EPOLLIN, &wake_, false);
  watch(epoll_.get(), listener_.get(), EPOLLIN, &listener_, false);
}

void Poller::run() {
  block_sigpipe();
  std::array<epoll_event, kEventsMax> events;
  while (true) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), kEventsMax, milliseconds_to_next());
    now_ = Clock::now();
    for (int i = 0; i < count; ++i) {
      void* const pointer = events[static_cast<std::size_t>(i)].data.ptr;
      if (pointer == &listener_) {
        accept_all();
      } else if (pointer != &wake_) {
        on_event(*static_cast<Connection*>(pointer));
      }
    }
    // Only now, so that no event of this round means a connection that is gone.
    take_back();
    end_overdue();
    relieve_threads();
    if (obey()) return;
  }
}

bool Poller::obey() {
  std::unique_lock lock(mutex_);
  if (stop_asked_ && !stop_done_) {
    lock.unlock();
    close_waiting();
    lock.lock();
    stop_done_ = true;
    stopped_.notify_all();
  }
  end_by_ = quit_by_;
  return end_by_ && handed_back_.empty() && (connections_ == 0 || now_ >= *end_by_);
}

void Poller::hand_back(std::unique_ptr<Connection> connection, After after) {
  {
    const std::lock_guard lock(mutex_);
    handed_back_.push_back({std::move(connection), after});
  }
  wake();
}

void Poller::stop() {
  std::unique_lock lock(mutex_);
  stop_asked_ = true;
  wake();
  stopped_.wait(lock, [this] { return stop_done_; });
}

void Poller::quit() {
  const std::lock_guard lock(mutex_);
  quit_by_ = Clock::now() + kQuitTime;
  wake();
}

void Poller::wake() {
  const std::uint64_t one = 1;
  // Full means that it is woken already.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

// ---- accepting

void Poller::accept_all() {
  while (listener_.is_open()) {
    AcceptResult result = accept_one(listener_.get());
    if (result.accepted) {
      admit(*std::move(result.accepted));
      continue;
    }
    if (result.problem == AcceptProblem::kOutOfDescriptors) pause_accepting();
    return;
  }
}

void Poller::pause_accepting() {
  log_warning("out_of_descriptors", {{"connections", std::to_string(connections())}});
  watch(epoll_.get(), listener_.get(), 0, &listener_, true);
  accept_again_ = now_ + kAcceptPause;
}

std::optional<Fault> Poller::judge_admission(const std::string& address) const {
  if (connections() >= limits_.connections_max) {
    return Fault::overloaded("the server has " + std::to_string(limits_.connections_max) +
                             " connections, its limit; try again later");
  }
  const auto found = by_address_.find(address);
  if (found != by_address_.end() &&
      found->second >= limits_.connections_per_address_max) {
    return Fault::too_many("this address has " +
                           std::to_string(limits_.connections_per_address_max) +
                           " connections, the limit for one; close some or reuse them");
  }
  return std::nullopt;
}

void Poller::admit(Accepted accepted) {
  if (connections() >= limits_.connections_max + kRefusedMax) return;
  std::optional<Fault> refusal = judge_admission(accepted.remote_address);
  const int descriptor = accepted.socket.release();
  auto transport = tls_ ? tls_->accept(descriptor) : make_plain_transport(descriptor);
  ++connections_;
  ++by_address_[accepted.remote_address];
  Connection& connection =
      adopt(std::make_unique<Connection>(std::move(transport),
                                         std::move(accepted.remote_address),
                                         limits_.header_bytes_max),
            Phase::kHandshake);
  connection.refusal = std::move(refusal);
  shake_hands(connection);
}

// ---- one connection

void Poller::on_event(Connection& connection) {
  switch (connection.phase) {
    case Phase::kHandshake: return shake_hands(connection);
    case Phase::kIdle:
    case Phase::kHead:
    case Phase::kBody: return receive_request(connection);
    case Phase::kEnding: return throw_away(connection);
  }
}

void Poller::shake_hands(Connection& connection) {
  switch (connection.transport->handshake().state) {
    case TransferState::kDone: break;
    case TransferState::kWantsRead: return wait_for(connection, Readiness::kWantsRead);
    case TransferState::kWantsWrite: return wait_for(connection, Readiness::kWantsWrite);
    case TransferState::kClosed: return drop(connection);
  }
  if (connection.refusal) return refuse(connection, *connection.refusal);
  enter(connection, Phase::kIdle);
  receive_request(connection);
}

void Poller::receive_request(Connection& connection) {
  const Readiness readiness = receive(connection);
  switch (readiness) {
    case Readiness::kReady: return begin_request(connection);
    case Readiness::kFault: return refuse(connection, connection.intake.fault());
    case Readiness::kClosed: return drop(connection);
    case Readiness::kWantsRead:
    case Readiness::kWantsWrite: break;
  }
  switch (connection.intake.state()) {
    case Intake::State::kHead: enter(connection, Phase::kHead); break;
    case Intake::State::kBody: enter(connection, Phase::kBody); break;
    case Intake::State::kEmpty:
    case Intake::State::kReady:
    case Intake::State::kFault: enter(connection, Phase::kIdle); break;
  }
  wait_for(connection, readiness);
}

void Poller::begin_request(Connection& connection) {
  ConnectionList taken;
  taken.splice(taken.end(), rooms_[index_of(connection.phase)], connection.place);
  if (threads_.submit(taken.front())) return;
  rooms_[index_of(connection.phase)].splice(rooms_[index_of(connection.phase)].end(),
                                            taken);
  refuse(connection,
         Fault::overloaded("more than " + std::to_string(limits_.requests_waiting_max) +
                           " requests wait for a thread; try again later"));
}

void Poller::refuse(Connection& connection, const Fault& fault) {
  // One try: it is shorter than any socket's buffer, and who has filled that does not
  // read.
  connection.transport->write(to_response_bytes(fault));
  end(connection);
}

// Closing while bytes of the peer lie unread would make the kernel send a reset, and a
// reset can destroy the answer on its way (RFC 9112, 9.6).
void Poller::end(Connection& connection) {
  connection.transport->end_writing();
  enter(connection, Phase::kEnding);
  throw_away(connection);
}

void Poller::throw_away(Connection& connection) {
  std::array<char, 64 * 1024> scratch;
  for (int i = 0; i < kDiscardsPerRound; ++i) {
    const ssize_t count = ::recv(connection.transport->descriptor(), scratch.data(),
                                 scratch.size(), MSG_DONTWAIT);
    if (count > 0) continue;
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) break;
    return drop(connection);
  }
  wait_for(connection, Readiness::kWantsRead);
}

void Poller::drop(Connection& connection) {
  const auto counted = by_address_.find(connection.remote_address);
  CHECK(counted != by_address_.end());
  if (--counted->second == 0) by_address_.erase(counted);
  --connections_;
  rooms_[index_of(connection.phase)].erase(connection.place);
}

// ---- phases and their times

Connection& Poller::adopt(std::unique_ptr<Connection> connection, Phase phase) {
  ConnectionList& room = rooms_[index_of(phase)];
  Connection& adopted = *room.emplace_back(std::move(connection));
  adopted.place = std::prev(room.end());
  adopted.phase = phase;
  adopted.deadline = now_ + time_of(phase);
  return adopted;
}

void Poller::enter(Connection& connection, Phase phase) {
  if (connection.phase == phase) return;
  ConnectionList& room = rooms_[index_of(phase)];
  room.splice(room.end(), rooms_[index_of(connection.phase)], connection.place);
  connection.phase = phase;
  connection.deadline = now_ + time_of(phase);
}

void Poller::wait_for(Connection& connection, Readiness wanted) {
  const std::uint32_t events = wanted == Readiness::kWantsWrite ? EPOLLOUT : EPOLLIN;
  watch(epoll_.get(), connection.transport->descriptor(), events | EPOLLONESHOT,
        &connection, std::exchange(connection.registered, true));
}

Poller::Clock::duration Poller::time_of(Phase phase) const {
  switch (phase) {
    case Phase::kHandshake:
    case Phase::kHead: return limits_.header_time;
    case Phase::kIdle: return limits_.idle_time;
    case Phase::kBody: return limits_.body_idle_time;
    case Phase::kEnding: return kEndingTime;
  }
  CHECK(false);
  return {};
}

int Poller::milliseconds_to_next() const {
  std::optional<Clock::time_point> next = accept_again_;
  const auto consider = [&](Clock::time_point time) {
    next = next ? std::min(*next, time) : time;
  };
  for (const ConnectionList& room : rooms_) {
    if (!room.empty()) consider(room.front()->deadline);
  }
  if (end_by_) consider(*end_by_);
  if (threads_.waiting() > 0) consider(Clock::now() + kPressureInterval);
  if (!next) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*next - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void Poller::end_overdue() {
  for (ConnectionList& room : rooms_) {
    while (!room.empty() && room.front()->deadline <= now_) on_overdue(*room.front());
  }
  if (accept_again_ && *accept_again_ <= now_) {
    accept_again_.reset();
    if (listener_.is_open()) {
      watch(epoll_.get(), listener_.get(), EPOLLIN, &listener_, true);
    }
  }
}

void Poller::on_overdue(Connection& connection) {
  switch (connection.phase) {
    case Phase::kHandshake:
    case Phase::kIdle:
    case Phase::kEnding: return drop(connection);
    case Phase::kHead:
      return refuse(
          connection,
          Fault::timeout("the request head took longer than " +
                         std::to_string(limits_.header_time.count()) + " ms to arrive"));
    case Phase::kBody:
      return refuse(connection,
                    Fault::timeout("the first " + std::to_string(kFirstBodyBytes) +
                                   " bytes of the request body took longer than " +
                                   std::to_string(limits_.body_idle_time.count()) +
                                   " ms to arrive"));
  }
}

// ---- to and from the request threads

void Poller::take_back() {
  std::vector<HandedBack> back;
  bool stopped;
  {
    const std::lock_guard lock(mutex_);
    back.swap(handed_back_);
    stopped = stop_done_;
  }
  std::uint64_t count;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
  for (HandedBack& one : back) {
    Connection& connection = adopt(std::move(one.connection), Phase::kIdle);
    switch (one.after) {
      case After::kKeep: stopped ? end(connection) : receive_request(connection); break;
      case After::kEnd: end(connection); break;
      case After::kClose: drop(connection); break;
    }
  }
}

void Poller::relieve_threads() {
  if (threads_.waiting() == 0) return;
  for (auto& connection : threads_.take_overdue(now_)) {
    refuse(adopt(std::move(connection), Phase::kIdle),
           Fault::overloaded("the request waited for a thread for longer than " +
                             std::to_string(limits_.request_wait_time.count()) +
                             " ms; try again later"));
  }
  threads_.cut_stalled(now_);
}

void Poller::close_waiting() {
  listener_.reset();
  for (const Phase phase :
       {Phase::kHandshake, Phase::kIdle, Phase::kHead, Phase::kBody}) {
    ConnectionList& room = rooms_[index_of(phase)];
    while (!room.empty()) {
      Connection& connection = *room.front();
      if (phase != Phase::kHandshake && receive(connection) == Readiness::kReady) {
        begin_request(connection);
      } else {
        drop(connection);
      }
    }
  }
}

}  // namespace tallyman::http
