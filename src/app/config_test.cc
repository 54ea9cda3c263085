#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tallyman {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kLeast = R"(database = "sqlite:app.db"
[resources.people]
)";

std::vector<std::string> mistakes_of(std::string_view text) {
  std::vector<std::string> out;
  for (const ConfigMistake& mistake : read_config_text(text, "t.toml").mistakes) {
    out.push_back(std::to_string(mistake.line) + ": " + mistake.message);
  }
  return out;
}

// The mistakes of one line put before the least that a file must have.
std::vector<std::string> mistakes_of_setting(std::string_view setting) {
  return mistakes_of(std::string(setting) + '\n' + std::string(kLeast));
}

std::vector<std::string> mistakes_of_resource(std::string_view lines) {
  return mistakes_of(std::string(kLeast) + std::string(lines));
}

TEST(ConfigTest, ReadsEverySetting) {
  const ConfigReading reading = read_config_text(R"(
database = "sqlite:app.db"
listen = "[::1]:9000"
payload = "disk"
payload_folder = "/srv/uploads"
scratch_folder = "/srv/scratch"
node = "north"
workers = 4
log_level = "warning"
path = "general"
window_records = 1_000
window_bytes = "2MiB"
lease_time = "2500ms"
writer_wait = "300ms"
open_time_max = "2h"
results_retention = "3d"
job_retention = "30d"
upload_bytes_max = 1000000
record_bytes_max = "64KiB"
expansion_ratio_max = 50
atomic_records_max = 10
record_cells_max = 20
fields_max = 30
delete_keys_max = 40
open_jobs_per_owner_max = 50
stored_bytes_per_owner_max = "60MiB"
requests_per_second_per_token_max = 70
refusals_per_second_per_address_max = 0

[http]
connections_max = 100
connections_per_address_max = 10
header_bytes_max = "8KiB"
idle_time = "5s"
drain_bytes_max = 0
stalled_time_under_pressure = "100ms"

[owner_weights]
shop = 3
"o'brien & sons" = 1000

[tls]
certificate = "server.pem"
key = "server.key"

[resources.transactions]
table = "bank_transactions"
operations = ["insert", "delete"]
only = ["id", "amount", "category"]
read_only = ["id"]
parallel = true
[resources.transactions.fields.category]
choices = ["Food", "Rent"]
max_length = 20
pattern = "[A-Z].*"
[resources.transactions.fields.amount]
min = 0.10
max = "1e6"
[resources.transactions.aggregates.by_category]
type = "sum"
field = "amount"
group_by = "category"
outcome = ["created", "updated"]

[resources.people]
)",
                                                 "t.toml");
  ASSERT_EQ(to_text("t.toml", reading.mistakes), "");
  const ServerConfig& config = reading.config;
  EXPECT_EQ(config.database, "sqlite:app.db");
  EXPECT_EQ(config.lines.at("database"), 2);
  EXPECT_EQ(config.listen.address, "::1");
  EXPECT_EQ(config.listen.port, 9000);
  EXPECT_EQ(config.payload, PayloadPlace::kDisk);
  EXPECT_EQ(config.payload_folder, "/srv/uploads");
  EXPECT_EQ(config.scratch_folder, "/srv/scratch");
  EXPECT_EQ(config.node, "north");
  EXPECT_EQ(config.workers, 4U);
  EXPECT_EQ(config.log_level, LogLevel::kWarning);
  EXPECT_TRUE(config.general_path);
  EXPECT_EQ(config.window_records, 1'000U);
  EXPECT_EQ(config.window_bytes, 2U << 20);
  EXPECT_EQ(config.lease_time, milliseconds(2'500));
  EXPECT_EQ(config.writer_wait, milliseconds(300));
  EXPECT_EQ(config.open_time_max, hours(2));
  EXPECT_EQ(config.results_retention, hours(72));
  EXPECT_EQ(config.job_retention, hours(720));
  EXPECT_EQ(config.upload_bytes_max, 1'000'000U);
  EXPECT_EQ(config.record_bytes_max, 64U << 10);
  EXPECT_EQ(config.expansion_ratio_max, 50U);
  EXPECT_EQ(config.atomic_records_max, 10U);
  EXPECT_EQ(config.record_cells_max, 20U);
  EXPECT_EQ(config.fields_max, 30U);
  EXPECT_EQ(config.delete_keys_max, 40U);
  EXPECT_EQ(config.open_jobs_per_owner_max, 50U);
  EXPECT_EQ(config.stored_bytes_per_owner_max, 60U << 20);
  EXPECT_EQ(config.requests_per_second_per_token_max, 70U);
  EXPECT_EQ(config.refusals_per_second_per_address_max, 0U);
  EXPECT_EQ(config.http.connections_max, 100U);
  EXPECT_EQ(config.http.connections_per_address_max, 10U);
  EXPECT_EQ(config.http.header_bytes_max, 8U << 10);
  EXPECT_EQ(config.http.idle_time, seconds(5));
  EXPECT_EQ(config.http.drain_bytes_max, 0U);
  EXPECT_EQ(config.http.stalled_time_under_pressure, milliseconds(100));
  EXPECT_EQ(config.owner_weights.at("shop"), 3U);
  EXPECT_EQ(config.owner_weights.at("o'brien & sons"), limits::kOwnerWeightMax);
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->certificate_file, "server.pem");
  EXPECT_EQ(config.tls->key_file, "server.key");

  ASSERT_EQ(config.resources.size(), 2U);
  EXPECT_EQ(config.resources[1].rules.table, "people");
  EXPECT_THAT(config.resources[1].rules.operations, IsEmpty());
  const ResourceRules& rules = config.resources[0].rules;
  EXPECT_EQ(rules.name, "transactions");
  EXPECT_EQ(rules.table, "bank_transactions");
  EXPECT_THAT(rules.operations, ElementsAre(Operation::kInsert, Operation::kDelete));
  EXPECT_THAT(rules.only, ElementsAre("id", "amount", "category"));
  EXPECT_THAT(rules.read_only, ElementsAre("id"));
  EXPECT_TRUE(rules.parallel);
  EXPECT_FALSE(config.resources[1].rules.parallel);
  EXPECT_THAT(rules.fields.at("category").choices, ElementsAre("Food", "Rent"));
  EXPECT_EQ(rules.fields.at("category").max_length, 20U);
  EXPECT_EQ(rules.fields.at("category").pattern, "[A-Z].*");
  EXPECT_EQ(rules.fields.at("amount").minimum, "0.10");
  EXPECT_EQ(rules.fields.at("amount").maximum, "1e6");
  const AggregateSpec& aggregate = rules.aggregates.at("by_category").definition;
  EXPECT_EQ(aggregate.type, AggregateType::kSum);
  EXPECT_EQ(aggregate.field, "amount");
  EXPECT_THAT(aggregate.group_by, ElementsAre("category"));
  EXPECT_THAT(aggregate.outcomes, ElementsAre(Outcome::kCreated, Outcome::kUpdated));
}

TEST(ConfigTest, AnOwnersWeightIsAWholeNumberUpToTheLimit) {
  const auto mistakes = [](std::string_view weight) {
    return mistakes_of("[owner_weights]\nshop = " + std::string(weight) + "\n" +
                       "[resources.people]\n");
  };
  for (const char* wrong : {"0", "1001", "-1", "1.5", "\"3\""}) {
    const auto found = mistakes(wrong);
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const std::string& mistake) {
      return mistake.find("owner_weights.shop") != std::string::npos;
    })) << wrong;
  }
}

TEST(ConfigTest, HasTheLimitsAsDefaults) {
  const ServerConfig config = read_config_text(kLeast, "t.toml").config;
  EXPECT_EQ(config.window_records, limits::kWindowRecords);
  EXPECT_EQ(config.results_retention, limits::kResultsRetention);
  EXPECT_EQ(config.listen.address, "127.0.0.1");
  EXPECT_EQ(config.listen.port, 8080);
  EXPECT_FALSE(config.tls);
  EXPECT_FALSE(config.insecure);
}

TEST(ConfigTest, TellsAllMistakesAtOnceWithTheirLines) {
  const ConfigReading reading = read_config_text(R"(database = "mysql://x"
listn = "127.0.0.1:8080"
workers = 257
lease_time = 10
window_bytes = "24megs"

[http]
conections_max = 5

[resources.people]
operations = ["insert", "upsrt"]
[resources.people.fields.age]
minimum = 3
max_length = "long"
[resources.people.aggregates.total]
type = "summ"
)",
                                                 "tallyman.toml");
  EXPECT_EQ(
      to_text("tallyman.toml", reading.mistakes),
      "tallyman.toml:1: database must begin with sqlite: or postgresql://, as in "
      "\"sqlite:app.db\"\n"
      "tallyman.toml:2: there is no setting listn; did you mean listen?\n"
      "tallyman.toml:3: workers must be from 0 to 256\n"
      "tallyman.toml:4: lease_time must be a time with its unit: \"250ms\", \"10s\", "
      "\"5m\", "
      "\"24h\", \"7d\"\n"
      "tallyman.toml:5: window_bytes must be a size: bytes as a whole number, or "
      "\"24MiB\", "
      "\"10GB\"\n"
      "tallyman.toml:8: there is no setting http.conections_max; did you mean "
      "connections_max?\n"
      "tallyman.toml:11: resources.people.operations: there is no operation \"upsrt\"; "
      "did "
      "you mean \"upsert\"?\n"
      "tallyman.toml:13: there is no setting resources.people.fields.age.minimum\n"
      "tallyman.toml:14: resources.people.fields.age.max_length must be a whole number, "
      "not "
      "a text\n"
      "tallyman.toml:16: resources.people.aggregates.total.type: there is no aggregate "
      "\"summ\"; did you mean \"sum\"?\n");
}

TEST(ConfigTest, TellsTheLineOfWhatIsNotToml) {
  EXPECT_THAT(mistakes_of("database = \"sqlite:a\"\nworkers = = 2\n"),
              ElementsAre(testing::StartsWith("2: ")));
  EXPECT_THAT(mistakes_of("a = 1\na = 2\n"), ElementsAre(testing::StartsWith("2: ")));
}

TEST(ConfigTest, WantsADatabaseAndATable) {
  EXPECT_THAT(mistakes_of(""), ElementsAre(HasSubstr("1: database is missing"),
                                           HasSubstr("1: no table is exposed")));
}

TEST(ConfigTest, NamesAFileThatCannotBeRead) {
  const ConfigReading reading = read_config_file("/no/such/tallyman.toml");
  EXPECT_EQ(
      to_text("/no/such/tallyman.toml", reading.mistakes),
      "/no/such/tallyman.toml: cannot be read; does it exist, and may this user read "
      "it?\n");
}

TEST(ConfigTest, HoldsSettingsToTheirBounds) {
  EXPECT_THAT(mistakes_of_setting("workers = 1"), IsEmpty());
  EXPECT_THAT(mistakes_of_setting("workers = 256"), IsEmpty());
  EXPECT_THAT(mistakes_of_setting("workers = 257"),
              ElementsAre("1: workers must be from 0 to 256"));
  EXPECT_THAT(mistakes_of_setting("workers = -1"),
              ElementsAre("1: workers must be from 0 to 256"));
  EXPECT_THAT(mistakes_of_setting("record_bytes_max = 1024"), IsEmpty());
  EXPECT_THAT(mistakes_of_setting("record_bytes_max = 1023"),
              ElementsAre("1: record_bytes_max must be from 1.0 KiB to 64.0 MiB"));
  EXPECT_THAT(mistakes_of_setting("lease_time = \"99ms\""),
              ElementsAre("1: lease_time must be from 100ms to 1h"));
  EXPECT_THAT(mistakes_of_setting("lease_time = \"1h\""), IsEmpty());
  EXPECT_THAT(mistakes_of_setting("writer_wait = \"49ms\""),
              ElementsAre("1: writer_wait must be from 50ms to 1h"));
  EXPECT_THAT(mistakes_of_setting("writer_wait = \"50ms\""), IsEmpty());
}

TEST(ConfigTest, KnowsWhereUploadsLie) {
  const auto read = [](std::string_view settings) {
    return read_config_text(std::string(settings) + "\n[resources.people]\n", "t").config;
  };
  const std::string sqlite = "database = \"sqlite:app.db\"\n";
  const std::string postgres = "database = \"postgresql://app@host/shop\"\n";
  EXPECT_FALSE(read(sqlite).payload_is_in_database());
  EXPECT_TRUE(read(postgres).payload_is_in_database());
  EXPECT_TRUE(read(postgres + "payload = \"database\"").payload_is_in_database());
  for (const char* settings : {"payload = \"disk\"\npayload_folder = \"/srv\"",
                               "payload_folder = \"/srv\"", "payload = \"/srv\""}) {
    for (const std::string& database : {sqlite, postgres}) {
      const ServerConfig config = read(database + settings);
      EXPECT_FALSE(config.payload_is_in_database()) << settings;
      EXPECT_EQ(config.payload_folder, "/srv") << settings;
    }
  }
}

TEST(ConfigTest, RefusesWhatOnlyTheOtherDatabaseHas) {
  EXPECT_THAT(mistakes_of_setting("payload = \"database\""),
              ElementsAre("1: payload = \"database\" needs PostgreSQL"));
  EXPECT_THAT(mistakes_of_setting("workers = 0"),
              ElementsAre(HasSubstr("1: workers = 0 needs PostgreSQL")));
  EXPECT_THAT(mistakes_of_setting("lanes = 2"),
              ElementsAre(HasSubstr("1: lanes is for PostgreSQL")));
  const auto mistakes_on_postgres = [](std::string_view setting) {
    return mistakes_of(std::string(setting) +
                       "\ndatabase = \"postgresql://app@host/shop\"\n"
                       "[resources.people]\n");
  };
  EXPECT_THAT(mistakes_on_postgres("workers = 0"), IsEmpty());
  EXPECT_THAT(mistakes_on_postgres("lanes = 4"), IsEmpty());
  EXPECT_THAT(mistakes_on_postgres("payload = \"disk\""),
              ElementsAre(HasSubstr("1: payload = \"disk\" needs payload_folder")));
  EXPECT_THAT(mistakes_on_postgres("database_connections_max = 8"), IsEmpty());
  EXPECT_THAT(
      mistakes_on_postgres("database_connections_max = 7"),
      ElementsAre("1: database_connections_max must be 8 or more for workers = 2"));
}

TEST(ConfigTest, WantsTheKindThatASettingHas) {
  EXPECT_THAT(mistakes_of_setting("workers = 2.0"),
              ElementsAre("1: workers must be a whole number, not a decimal number"));
  EXPECT_THAT(mistakes_of_setting("payload = true"),
              ElementsAre("1: payload must be a text, not true or false"));
  EXPECT_THAT(mistakes_of_setting("payload = \"\""),
              ElementsAre("1: payload must not be empty"));
  EXPECT_THAT(mistakes_of_setting("http = 3"),
              ElementsAre("1: http must be a table, not a whole number"));
  EXPECT_THAT(mistakes_of_setting("path = \"fast\""),
              ElementsAre("1: path must be \"auto\" or \"general\""));
}

TEST(ConfigTest, RefusesAJobThatIsForgottenBeforeItsResults) {
  EXPECT_THAT(mistakes_of_setting("results_retention = \"7d\"\njob_retention = \"6d\""),
              ElementsAre(HasSubstr("2: job_retention must not be shorter")));
  EXPECT_THAT(mistakes_of_setting("results_retention = \"7d\"\njob_retention = \"7d\""),
              IsEmpty());
}

TEST(ConfigTest, WantsBothFilesOfTls) {
  EXPECT_THAT(mistakes_of_resource("[tls]\ncertificate = \"a.pem\"\n"),
              ElementsAre("3: tls needs both certificate and key (PEM files)"));
}

TEST(ConfigTest, RefusesNamesThatCannotStandInAPath) {
  EXPECT_THAT(
      mistakes_of("database = \"sqlite:a\"\n[resources.\"a/b\"]\n[resources.jobs]\n"),
      ElementsAre(HasSubstr("2: \"a/b\" cannot be the name of a resource"),
                  HasSubstr("3: \"jobs\" cannot be the name of a resource")));
}

TEST(ConfigTest, KeepsTheDigitsOfADecimal) {
  const ConfigReading reading = read_config_text(
      std::string(kLeast) + "fields.\"größe\" = { min = -0.100, max = +1_000.50 }\n",
      "t");
  ASSERT_EQ(to_text("t", reading.mistakes), "");
  const FieldRules& rules = reading.config.resources[0].rules.fields.at("größe");
  EXPECT_EQ(rules.minimum, "-0.100");
  EXPECT_EQ(rules.maximum, "1000.50");
}

TEST(ConfigTest, RefusesRulesThatNothingCanMeet) {
  EXPECT_THAT(mistakes_of_resource("fields.age = { min = 3, max = 2.5 }\n"),
              ElementsAre("3: resources.people.fields.age.max is below "
                          "resources.people.fields.age.min"));
  EXPECT_THAT(mistakes_of_resource("fields.age = { min = 3, max = 3.0 }\n"), IsEmpty());
  EXPECT_THAT(mistakes_of_resource("fields.age = { choices = [] }\n"),
              ElementsAre(HasSubstr("choices is empty")));
  EXPECT_THAT(mistakes_of_resource("fields.age = { min = inf }\n"),
              ElementsAre(HasSubstr("min must be a number")));
}

TEST(ConfigTest, RefusesAggregatesThatMeanNothing) {
  EXPECT_THAT(
      mistakes_of_resource("aggregates.a = { type = \"sum\" }\n"),
      ElementsAre("3: resources.people.aggregates.a needs a field: sum of what?"));
  EXPECT_THAT(
      mistakes_of_resource("aggregates.a = { type = \"count\", field = \"x\" }\n"),
      ElementsAre(HasSubstr("count takes no field")));
  EXPECT_THAT(mistakes_of_resource("aggregates.a = { field = \"x\" }\n"),
              ElementsAre(HasSubstr("needs a type")));
  EXPECT_THAT(
      mistakes_of_resource("aggregates.a = { type = \"count\", outcome = \"failed\" }\n"),
      ElementsAre(HasSubstr("only those have rows")));
}

TEST(ConfigTest, RefusesANameTwiceInAList) {
  EXPECT_THAT(mistakes_of_resource("only = [\"a\", \"a\"]\n"),
              ElementsAre("3: resources.people.only names \"a\" twice"));
}

TEST(ListenAddressTest, ReadsAddressesAndPorts) {
  const auto shown = [](std::string_view text) {
    const auto address = parse_listen_address(text);
    return address ? address->address + " " + std::to_string(address->port) : "none";
  };
  EXPECT_EQ(shown("127.0.0.1:8080"), "127.0.0.1 8080");
  EXPECT_EQ(shown("[::1]:0"), "::1 0");
  EXPECT_EQ(shown("localhost:65535"), "localhost 65535");
  for (const char* text : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:",
                           "127.0.0.1:65536", "::1:8080", "[]:1", "a:b", "a:1 "}) {
    EXPECT_EQ(shown(text), "none") << text;
  }
}

}  // namespace
}  // namespace tallyman
