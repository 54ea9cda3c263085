#include "http/connection.h"

#include <array>

namespace tallyman::http {

Readiness receive(Connection& connection) {
  while (true) {
    switch (connection.intake.advance(connection.input)) {
      case Intake::State::kReady: return Readiness::kReady;
      case Intake::State::kFault: return Readiness::kFault;
      case Intake::State::kEmpty:
      case Intake::State::kHead:
      case Intake::State::kBody: break;
    }
    std::array<char, 16 * 1024> arrived;
    const Transferred got = connection.transport->read(arrived);
    switch (got.state) {
      case TransferState::kDone:
        connection.input.append({arrived.data(), got.bytes});
        break;
      case TransferState::kWantsRead: return Readiness::kWantsRead;
      case TransferState::kWantsWrite: return Readiness::kWantsWrite;
      case TransferState::kClosed: return Readiness::kClosed;
    }
  }
}

}  // namespace tallyman::http
