// Any bytes as requests. Wherever they are cut, the intake comes to the same requests and
// the same fault; what it lets through has one Host and one framing.
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/intake.h"

namespace tallyman::http {
namespace {

struct Outcome {
  std::vector<std::string> heads;
  bool fault = false;
  bool operator==(const Outcome&) const = default;
};

std::string describe(const RequestHead& head) {
  std::string text =
      head.method + " " + head.path + " " + std::to_string(head.content_length);
  for (const auto& [name, value] : head.headers.all()) text += "\n" + name + ":" + value;
  return text;
}

void check_sound(const RequestHead& head) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  for (const auto& [name, value] : head.headers.all()) {
    Headers one;
    one.add(name, value);
    hosts += one.find("Host").has_value();
    lengths += one.find("Content-Length").has_value();
    codings += one.find("Transfer-Encoding").has_value();
    CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  CHECK(hosts == 1 || (hosts == 0 && !head.http_1_1));
  CHECK(lengths + codings <= 1);
  CHECK(head.path.starts_with('/') &&
        (head.path + "/").find("/../") == std::string::npos);
  CHECK(head.path.find('\0') == std::string::npos);
}

Outcome run(std::string_view bytes, std::size_t piece) {
  Outcome outcome;
  Intake intake(4096);
  InputBuffer input;
  while (!bytes.empty()) {
    input.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      const Intake::State state = intake.advance(input);
      if (state == Intake::State::kFault) {
        outcome.fault = true;
        return outcome;
      }
      if (state != Intake::State::kReady) break;
      const RequestHead head = intake.take_head();
      check_sound(head);
      outcome.heads.push_back(describe(head));
      // A body makes the rest its own; how much of it there is differs by the cut.
      if (head.body_kind != RequestBodyKind::kNone) return outcome;
    }
  }
  return outcome;
}

}  // namespace
}  // namespace tallyman::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = run(bytes, std::max<std::size_t>(size, 1));
  CHECK(run(bytes, 1) == whole);
  CHECK(run(bytes, 7) == whole);
  return 0;
}
