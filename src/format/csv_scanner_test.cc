#include "format/csv_scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tallyman {
namespace {

using Places = std::vector<std::size_t>;

struct Scanned {
  Places places;
  CsvState state;

  friend bool operator==(const Scanned&, const Scanned&) = default;
};

std::ostream& operator<<(std::ostream& out, const Scanned& scanned) {
  for (const std::size_t place : scanned.places) out << place << ' ';
  return out << "state " << static_cast<int>(scanned.state);
}

// One byte at a time: what the words of the header say.
Scanned by_steps(std::string_view text, bool delimiters) {
  Scanned scanned{{}, CsvState::kCellStart};
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool separates;
    scanned.state = csv_step(scanned.state, text[i], ',', separates);
    if (separates && (text[i] != ',' || delimiters)) scanned.places.push_back(i);
  }
  return scanned;
}

Scanned by_scanner(std::string_view text, CsvScanner::Want want, SimdKernel kernel,
                   std::size_t part_bytes = CsvScanner::kBatchBytes) {
  CsvScanner scanner(',', want, kernel);
  Scanned scanned;
  std::vector<std::uint32_t> places(CsvScanner::kBatchBytes);
  for (std::size_t done = 0; done < text.size(); done += part_bytes) {
    const std::size_t count = scanner.scan(text.substr(done, part_bytes), places.data());
    for (std::size_t i = 0; i < count; ++i) scanned.places.push_back(done + places[i]);
  }
  scanned.state = scanner.state();
  return scanned;
}

void expect_same_on_every_kernel(std::string_view text) {
  for (const SimdKernel kernel : available_kernels()) {
    ASSERT_EQ(by_scanner(text, CsvScanner::Want::kSeparators, kernel),
              by_steps(text, true))
        << name(kernel) << ": " << text;
    ASSERT_EQ(by_scanner(text, CsvScanner::Want::kLineEnds, kernel),
              by_steps(text, false))
        << name(kernel) << ": " << text;
  }
}

TEST(CsvScanner, FindsWhatSeparates) {
  EXPECT_EQ(by_steps("a,b\n\"c,\n\"\"\",d\r\n", true).places, (Places{1, 3, 11, 13, 14}));
  EXPECT_EQ(by_steps("a,b\n\"c,\n\"\"\",d\r\n", false).places, (Places{3, 13, 14}));
  EXPECT_EQ(by_steps("5\",\n", true).places, (Places{2, 3}));
  EXPECT_EQ(by_steps("\"a\"b,\",\n", true).places, (Places{7}));
}

// Every text of up to 6 of the bytes that matter, at the start of a block, across the end
// of one, and behind a quote that is open.
TEST(CsvScanner, EveryKernelFindsTheSameInEverySmallText) {
  constexpr std::string_view kAlphabet = "a,\"\r\n";
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i];
    if (text.size() < 6) {
      for (const char byte : kAlphabet) texts.push_back(text + byte);
    }
    const std::string block(61, 'x');
    expect_same_on_every_kernel(text + block + block);
    expect_same_on_every_kernel(block + text + block);
    expect_same_on_every_kernel("\"" + block + text + block);
  }
}

TEST(CsvScanner, EveryKernelFindsTheSameInRandomText) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  // The more plain bytes, the more blocks go through the quick way.
  for (const std::string_view alphabet :
       {",\"\r\n", "aaaaaa,\"\n", "aaaaaaaaaaaaaaaaaaaa,\n\"",
        "aaaaaaaaaaaaaaaaa,,,\n"}) {
    for (int i = 0; i < 300; ++i) {
      std::string text(random() % 1000, ' ');
      for (char& byte : text) byte = alphabet[random() % alphabet.size()];
      expect_same_on_every_kernel(text);
      const std::size_t part_bytes = 1 + random() % 200;
      ASSERT_EQ(
          by_scanner(text, CsvScanner::Want::kSeparators, best_kernel(), part_bytes),
          by_steps(text, true))
          << part_bytes;
    }
  }
}

// Cells in quotes where quotes belong, so that the quick way is taken throughout.
TEST(CsvScanner, EveryKernelFindsTheSameInGoodText) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kInside[] = {"a",    "bc",   ",",       "\n",
                                          "\r\n", "\"\"", "\"\"\"\""};
  for (int i = 0; i < 300; ++i) {
    std::string text;
    while (text.size() < 600) {
      text += '"';
      while (random() % 4 != 0) text += kInside[random() % std::size(kInside)];
      text += random() % 3 == 0 ? "\"\n" : "\",";
    }
    expect_same_on_every_kernel(text);
  }
}

}  // namespace
}  // namespace tallyman
