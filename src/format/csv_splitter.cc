#include "format/csv_splitter.h"

#include <simdjson.h>

#include <utility>
#include <vector>

#include "format/checkpoint_text.h"
#include "format/csv_text.h"

namespace tallyman {
namespace {

constexpr std::string_view kCheckpointName = "csv1";
constexpr std::string_view kLineEnds = "\r\n";

// Where a record stops making sense: the quote that is open at its end, and the first
// line end behind that quote.
struct OpenQuote {
  bool is_open = false;
  std::size_t line_end = std::string_view::npos;
};

OpenQuote find_open_quote(std::string_view record, char delimiter) {
  CsvState state = CsvState::kCellStart;
  std::size_t opened_at = 0;
  for (std::size_t i = 0; i < record.size(); ++i) {
    bool separates;
    const CsvState before =
        std::exchange(state, csv_step(state, record[i], delimiter, separates));
    if (before == CsvState::kCellStart) opened_at = i;
  }
  if (state != CsvState::kQuoted) return {};
  return {.is_open = true, .line_end = record.find_first_of(kLineEnds, opened_at)};
}

Error header_error(std::uint64_t byte, std::string_view what) {
  return {ErrorCode::kUnreadable,
          "the header line, at byte " + std::to_string(byte) + ", " + std::string(what)};
}

}  // namespace

CsvSplitter::CsvSplitter(char delimiter, const SplitLimits& limits,
                         const PieceBuilder::Mark& mark)
    : BaseSplitter(limits, mark),
      delimiter_(delimiter),
      scanner_(delimiter, CsvScanner::Want::kLineEnds),
      record_begin_(mark.offset),
      unclosed_quotes_(mark.unclosed_quotes) {}

std::string CsvSplitter::checkpoint() const {
  const PieceBuilder::Mark& mark = pieces_.mark();
  CheckpointWriter out(kCheckpointName);
  out.number(mark.offset);
  out.number(mark.records);
  out.number(mark.unclosed_quotes);
  // From byte 0 the header is read again.
  const std::size_t columns = mark.offset > 0 ? header_->size() : 0;
  out.number(columns);
  for (std::size_t i = 0; i < columns; ++i) out.bytes((*header_)[i]);
  return out.take();
}

Result<std::unique_ptr<Splitter>> CsvSplitter::restore(char delimiter,
                                                       const SplitLimits& limits,
                                                       std::string_view checkpoint) {
  CheckpointReader in(kCheckpointName, checkpoint);
  PieceBuilder::Mark mark;
  mark.offset = in.number();
  mark.records = in.number();
  mark.unclosed_quotes = static_cast<std::uint32_t>(in.number());
  const std::uint64_t columns = in.number();
  std::vector<std::string> header;
  while (header.size() < columns && in.good()) header.push_back(in.bytes());
  if (!in.complete() || header.size() != columns || (mark.offset > 0) != (columns > 0)) {
    return Error{ErrorCode::kUnreadable, "not the checkpoint of a CSV upload"};
  }
  std::unique_ptr<CsvSplitter> splitter(new CsvSplitter(delimiter, limits, mark));
  if (mark.offset > 0) splitter->set_header(std::move(header));
  return std::unique_ptr<Splitter>(std::move(splitter));
}

Result<void> CsvSplitter::consume(std::string_view bytes) {
  if (!header_) TALLY_TRY(consume_header(bytes));
  while (!bytes.empty()) {
    if (skipping_) {
      bytes = skip_to_line_end(bytes);
    } else {
      TALLY_TRY_ASSIGN(bytes, consume_records(bytes));
    }
  }
  return {};
}

// Takes the header line off the front of `bytes`, as far as it is there.
Result<void> CsvSplitter::consume_header(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char byte = bytes.front();
    bytes.remove_prefix(1);
    ++position_;
    bool separates;
    header_state_ = csv_step(header_state_, byte, delimiter_, separates);
    if (!separates || byte == delimiter_) {
      if (tail_.empty()) record_begin_ = position_ - 1;
      tail_ += byte;
      if (tail_.size() > limits_.record_bytes_max) {
        return header_error(record_begin_,
                            "is longer than " + std::to_string(limits_.record_bytes_max) +
                                " bytes (record_bytes_max); is a quote open?");
      }
      if (separates && ++header_cells_ > limits_.record_cells_max) {
        return header_error(record_begin_,
                            "has more than " + std::to_string(limits_.record_cells_max) +
                                " cells (record_cells_max); send the columns that the "
                                "table has");
      }
      continue;
    }
    if (!tail_.empty()) return read_header();
  }
  return {};
}

Result<void> CsvSplitter::read_header() {
  const std::uint64_t begin = record_begin_;
  if (!simdjson::validate_utf8(tail_)) return header_error(begin, "is not UTF-8");
  if (tail_.find('\0') != std::string::npos) return header_error(begin, "has a NUL byte");
  std::vector<CsvText> cells;
  if (!split_csv_record(tail_, delimiter_, cells)) {
    return header_error(begin,
                        "has a quote that is not closed at the end of its cell; write a "
                        "quote inside quotes twice");
  }
  std::vector<std::string> header;
  for (CsvText& cell : cells) header.push_back(std::move(cell.text));
  set_header(std::move(header));
  tail_.clear();
  record_begin_ = position_;
  return {};
}

void CsvSplitter::set_header(std::vector<std::string> header) {
  pieces_.set_columns(header.size());
  header_ = std::move(header);
}

// Returns what is left of `bytes`: all that comes after a record that is too long.
Result<std::string_view> CsvSplitter::consume_records(std::string_view bytes) {
  const std::uint64_t bytes_begin = position_;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const std::string_view batch = rest.substr(0, CsvScanner::kBatchBytes);
    const std::size_t line_ends = scanner_.scan(batch, line_ends_.data());
    if (!add_records(line_ends) ||
        position_ + batch.size() - record_begin_ > limits_.record_bytes_max) {
      return end_overlong_record(bytes, bytes_begin);
    }
    position_ += batch.size();
    rest.remove_prefix(batch.size());
  }
  if (record_begin_ < bytes_begin) {
    tail_ += bytes;
  } else {
    tail_ = bytes.substr(record_begin_ - bytes_begin);
  }
  return std::string_view();
}

// The records that end at line_ends_ of the batch at position_. False when one of them is
// too long: it begins at record_begin_.
bool CsvSplitter::add_records(std::size_t line_ends) {
  for (std::size_t i = 0; i < line_ends; ++i) {
    const std::uint64_t end = position_ + line_ends_[i];
    if (end != record_begin_) {
      if (end - record_begin_ > limits_.record_bytes_max) return false;
      pieces_.add(record_begin_, end);
    }
    record_begin_ = end + 1;
  }
  return true;
}

std::string_view CsvSplitter::skip_to_line_end(std::string_view bytes) {
  const std::size_t line_end = bytes.find_first_of(kLineEnds);
  if (line_end == std::string_view::npos) {
    position_ += bytes.size();
    return {};
  }
  position_ += line_end;
  pieces_.add_alone(record_begin_, position_, PieceKind::kTooLarge, false);
  record_begin_ = position_;
  skipping_ = false;
  scanner_.reset();
  return bytes.substr(line_end);
}

// The record at record_begin_ is longer than record_bytes_max. Returns what of `bytes` is
// to be consumed after it.
Result<std::string_view> CsvSplitter::end_overlong_record(std::string_view bytes,
                                                          std::uint64_t bytes_begin) {
  std::string head;
  if (record_begin_ < bytes_begin) {
    head = std::exchange(tail_, {});
    head += bytes.substr(0, limits_.record_bytes_max - head.size());
  } else {
    head = bytes.substr(record_begin_ - bytes_begin, limits_.record_bytes_max);
  }
  tail_.clear();

  const OpenQuote quote = find_open_quote(head, delimiter_);
  if (!quote.is_open || quote.line_end == std::string_view::npos) {
    skipping_ = true;
    position_ = record_begin_ + limits_.record_bytes_max;
    return bytes.substr(position_ - bytes_begin);
  }

  TALLY_TRY(end_before_line_end(record_begin_ + quote.line_end, PieceKind::kTooLarge));
  if (position_ >= bytes_begin) return bytes.substr(position_ - bytes_begin);
  // At most record_bytes_max bytes, so that none of their records can be too long.
  TALLY_TRY(
      consume(std::string_view(head).substr(quote.line_end, bytes_begin - position_)));
  return bytes;
}

// The upload has ended and a quote of the record under way is open.
Result<void> CsvSplitter::end_unclosed_record() {
  const std::string record = std::exchange(tail_, {});
  const std::size_t line_end = find_open_quote(record, delimiter_).line_end;
  if (line_end == std::string::npos) {
    pieces_.add_alone(record_begin_, position_, PieceKind::kUnclosedQuote, false);
    return {};
  }
  TALLY_TRY(end_before_line_end(record_begin_ + line_end, PieceKind::kUnclosedQuote));
  return consume(std::string_view(record).substr(line_end));
}

Result<void> CsvSplitter::end_before_line_end(std::uint64_t line_end, PieceKind kind) {
  if (++unclosed_quotes_ > limits_.unclosed_quotes_max) {
    return Error{ErrorCode::kTooLarge,
                 "more than " + std::to_string(limits_.unclosed_quotes_max) +
                     " records open a quote and do not close it, the last at byte " +
                     std::to_string(record_begin_) +
                     "; is this CSV with another delimiter or other quotes?"};
  }
  pieces_.add_alone(record_begin_, line_end, kind, true);
  record_begin_ = line_end;
  position_ = line_end;
  scanner_.reset();
  return {};
}

Result<void> CsvSplitter::end() {
  if (!header_) {
    if (tail_.empty()) {
      return Error{ErrorCode::kUnreadable, "the upload has no header line"};
    }
    return read_header();
  }
  if (skipping_) {
    pieces_.add_alone(record_begin_, position_, PieceKind::kTooLarge, false);
    return {};
  }
  while (!tail_.empty()) {
    if (scanner_.state() != CsvState::kQuoted) {
      pieces_.add(record_begin_, position_);
      break;
    }
    TALLY_TRY(end_unclosed_record());
  }
  return {};
}

}  // namespace tallyman
