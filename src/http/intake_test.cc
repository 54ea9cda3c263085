#include "http/intake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tallyman::http {
namespace {

constexpr std::size_t kHeaderBytesMax = 64;

// The status of the fault that `bytes` end with; 0 for none, 200 for a head.
int status_of(std::string_view bytes, std::size_t piece) {
  Intake intake(kHeaderBytesMax);
  InputBuffer input;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    input.append(bytes.substr(0, piece));
    const Intake::State state = intake.advance(input);
    if (state == Intake::State::kFault) return intake.fault().status;
    if (state == Intake::State::kReady) return 200;
  }
  return 0;
}

std::string head_of(std::size_t bytes) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const std::string end = "\r\n\r\n";
  return begin + std::string(bytes - begin.size() - end.size(), 'x') + end;
}

TEST(IntakeTest, AHeadAtItsLimitIsReadAndOneAboveIsNot) {
  for (const std::size_t piece : {1, 7, 1000}) {
    EXPECT_EQ(status_of(head_of(kHeaderBytesMax), piece), 200);
    EXPECT_EQ(status_of(head_of(kHeaderBytesMax + 1), piece), 431);
  }
}

TEST(IntakeTest, WhatIsWrongBehindTheLimitIsNotSeenWhereverTheHeadIsCut) {
  const std::string within(kHeaderBytesMax - 1, 'x');
  for (const std::size_t piece : {1, 7, 1000}) {
    EXPECT_EQ(status_of(within + "\n", piece), 400);
    EXPECT_EQ(status_of(within + "x\n", piece), 431);
  }
}

}  // namespace
}  // namespace tallyman::http
