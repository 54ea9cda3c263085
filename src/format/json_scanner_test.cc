#include "format/json_scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tallyman {
namespace {

struct Scanned {
  std::vector<std::size_t> commas;
  std::size_t closed_behind = 0;  // 0: not closed.

  friend bool operator==(const Scanned&, const Scanned&) = default;
};

std::ostream& operator<<(std::ostream& out, const Scanned& scanned) {
  for (const std::size_t comma : scanned.commas) out << comma << ' ';
  return out << "closed behind " << scanned.closed_behind;
}

// One byte at a time: what the words of the header say.
Scanned by_steps(std::string_view text) {
  Scanned scanned;
  std::size_t depth = 0;
  bool in_string = false;
  bool escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (byte == '"' && !escaped) in_string = !in_string;
    escaped = byte == '\\' && !escaped;
    if (in_string) continue;
    if (byte == '[' || byte == '{') ++depth;
    if (byte == ',' && depth == 0) scanned.commas.push_back(i);
    if (byte == ']' || byte == '}') {
      if (depth == 0) {
        scanned.closed_behind = i + 1;
        return scanned;
      }
      --depth;
    }
  }
  return scanned;
}

Scanned by_scanner(std::string_view text, SimdKernel kernel,
                   std::size_t part_bytes = JsonScanner::kBatchBytes) {
  JsonScanner scanner(kernel);
  Scanned scanned;
  std::vector<std::uint32_t> commas(JsonScanner::kBatchBytes);
  for (std::size_t done = 0; done < text.size(); done += part_bytes) {
    const auto found = scanner.scan(text.substr(done, part_bytes), commas.data());
    for (std::size_t i = 0; i < found.commas; ++i)
      scanned.commas.push_back(done + commas[i]);
    if (found.closed) {
      scanned.closed_behind = done + found.consumed;
      break;
    }
    EXPECT_EQ(found.consumed, std::min(part_bytes, text.size() - done));
  }
  return scanned;
}

TEST(JsonScanner, FindsTheCommasOfItsOwnBracket) {
  EXPECT_EQ(by_steps(R"(1,[2,3],"a,]\",",{"b":[,]},\",x")]")"),
            (Scanned{{1, 7, 16, 26, 29}, 0}));
  EXPECT_EQ(by_steps("1,{]}],"), (Scanned{{1}, 5}));
}

// Every text of up to 5 of the bytes that matter, at the start of a block and across the
// end of one.
TEST(JsonScanner, EveryKernelFindsTheSameInEverySmallText) {
  constexpr std::string_view kAlphabet = "a,\"\\[}";
  std::vector<std::string> texts{""};
  const std::string block(62, 'x');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i];
    if (text.size() < 5) {
      for (const char byte : kAlphabet) texts.push_back(text + byte);
    }
    for (const std::string& placed : {text + ",]", block + text + block + ",\",]"}) {
      for (const SimdKernel kernel : available_kernels()) {
        ASSERT_EQ(by_scanner(placed, kernel), by_steps(placed)) << name(kernel) << placed;
      }
    }
  }
}

TEST(JsonScanner, EveryKernelFindsTheSameInRandomTextCutAnywhere) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const std::string_view alphabet :
       {",\"\\[]{}", "aaaaaaaaaaaaaaa[[[[[}],,\"", "aaa\\\\\\\"", "aaaaaaaaaa,,{[[]]"}) {
    for (int i = 0; i < 300; ++i) {
      std::string text(random() % 1000, ' ');
      for (char& byte : text) byte = alphabet[random() % alphabet.size()];
      text.insert(0, "[[[");  // Or most would close at once.
      for (const SimdKernel kernel : available_kernels()) {
        ASSERT_EQ(by_scanner(text, kernel), by_steps(text)) << name(kernel) << text;
        const std::size_t part_bytes = 1 + random() % 200;
        ASSERT_EQ(by_scanner(text, kernel, part_bytes), by_steps(text))
            << part_bytes << text;
      }
    }
  }
}

}  // namespace
}  // namespace tallyman
