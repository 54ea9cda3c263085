#!/usr/bin/python3
"""The scenario files themselves: each can be read, and agrees with itself."""
import collections
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import scenario_run  # noqa: E402
import scenario_text  # noqa: E402

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
            yield scenario_text.parse(path.stem, path.read_text(encoding="utf-8"))

    def test_its_tables_can_be_made_and_its_rows_are_written_as_they_will_be_read(self):
        for scenario in self.scenarios():
            with self.subTest(scenario.name):
                database = sqlite3.connect(":memory:")
                database.executescript(scenario_run.setup_sql(scenario, 0))
                for step in scenario.steps:
                    for resource, columns, lines in step.expected.rows if step.expected else ():
                        database.execute(scenario_run.renamed(
                            scenario, 0, f"select {columns} from {resource}"))
                        for line in lines:
                            self.assertEqual(
                                scenario_text.row_text(scenario_text.row_values(line)), line)
                database.close()

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
