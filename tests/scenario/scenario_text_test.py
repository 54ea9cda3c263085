#!/usr/bin/python3
"""The scenario files themselves: each can be read, and agrees with itself."""
import collections
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import scenario_run  # noqa: E402
import scenario_text  # noqa: E402
from support import database  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent

SAMPLE = """# sample: what a file can say
table people (id integer primary key,
  age integer)
config people fields.age.min = "0"
before people
7 70

job insert people csv escaped max_errors=1 delimiter=%09
id\\tage
1\\t\\x34\\{1*3}\\
----
state Job Complete
counts total=1 created=1
results
1 created id=1
2 failed INVALID_TYPE age
rows people (id, age)
1 4111
7 70
"""


class Parsing(unittest.TestCase):
    def setUp(self):
        self.scenario = scenario_text.parse("sample", SAMPLE)
        self.step = self.scenario.steps[0]

    def test_a_definition_goes_on_to_its_closing_bracket(self):
        self.assertTrue(self.scenario.tables["people"].definition.endswith("age integer)"))

    def test_options_are_decoded_and_escapes_are_bytes(self):
        self.assertEqual(self.step.options, {"max_errors": "1", "delimiter": "\t"})
        self.assertEqual(self.step.body, b"id\tage\n1\t4111")

    def test_counts_that_are_not_named_are_zero(self):
        self.assertEqual(self.step.expected.counts["created"], 1)
        self.assertEqual(self.step.expected.counts["failed"], 0)

    def test_results_and_rows_are_blocks(self):
        self.assertEqual(self.step.expected.results,
                         [(1, "created", "", "", "1"), (2, "failed", "INVALID_TYPE", "age", None)])
        self.assertEqual(self.step.expected.rows, [("people", "id, age", ["1 4111", "7 70"])])

    def test_a_line_of_one_database_is_not_the_other_ones(self):
        text = SAMPLE.replace("before people\n", "sqlite: sql one\n  and on\npostgresql: sql two\n"
                              "  and further\nbefore people\n")
        for kind, sql in (("sqlite", "one\n  and on"), ("postgresql", "two\n  and further")):
            self.assertEqual(scenario_text.parse("sample", text, kind).setup[0], sql)

    def test_a_scenario_may_be_about_one_database_and_says_why(self):
        text = "only postgresql it has enums\n" + SAMPLE
        self.assertEqual(scenario_text.parse("sample", text).only, "postgresql")
        with self.assertRaisesRegex(scenario_text.BadScenario, "and why"):
            scenario_text.parse("sample", "only sqlite\n" + SAMPLE)

    def test_what_cannot_be_read_names_its_line(self):
        with self.assertRaisesRegex(scenario_text.BadScenario, "line 2"):
            scenario_text.parse("bad", "table a (id integer)\nstaet Open\n")
        with self.assertRaisesRegex(scenario_text.BadScenario, "neither state nor refused"):
            scenario_text.parse("bad", "table a (id integer)\njob insert a csv\nid\n----\n")

    def test_cells_are_written_as_they_are_read(self):
        row = (None, 1, -2.5, "word", "two words", "41", "", 'say "x"', b"\x00\xff", "NULL", "é")
        self.assertEqual(scenario_text.row_values(scenario_text.row_text(row)), list(row))

    def test_a_table_is_renamed_wherever_its_name_stands_alone(self):
        sql = scenario_run.renamed(self.scenario, 1, "create index people_age$ on people (age)")
        self.assertEqual(sql, "create index people_age_sample_1 on people_sample_1 (age)")


class EveryScenario(unittest.TestCase):
    def scenarios(self):
        for path in sorted(FOLDER.glob("*.scenario")):
            scenario = scenario_text.parse(path.stem, path.read_text(encoding="utf-8"))
            if scenario.only in (None, database.KIND):
                yield scenario

    def test_its_tables_can_be_made_and_its_rows_are_written_as_they_will_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            made = database.make(database.KIND, folder)
            for scenario in self.scenarios():
                with self.subTest(scenario.name):
                    made.execute(scenario_run.setup_sql(scenario, 0, made))
                    for step in scenario.steps:
                        self.check_rows(scenario, step, made)

    def check_rows(self, scenario, step, made):
        for resource, columns, lines in step.expected.rows if step.expected else ():
            made.rows(scenario_run.renamed(scenario, 0, f"select {columns} from {resource}"))
            for line in lines:
                self.assertEqual(scenario_text.row_text(scenario_text.row_values(line)), line)

    def test_its_counts_are_the_counts_of_its_results(self):
        for scenario in self.scenarios():
            for step in scenario.steps:
                expected = step.expected
                if expected and expected.results is not None and expected.counts:
                    counted = collections.Counter(result[1] for result in expected.results)
                    counted["total"] = len(expected.results)
                    with self.subTest(scenario.name):
                        self.assertEqual(expected.counts,
                                         {name: counted[name] for name in expected.counts})


if __name__ == "__main__":
    unittest.main()
