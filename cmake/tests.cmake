# The outside tests: Python programs that know the server by HTTP, SQL and its command line
# alone. They run with Debian's Python and nothing but its standard library.
#
#   ctest -L scenario        every scenario in every configuration
#   ctest -L process         kills, stops, aborts, access
#   ctest -L e2e             the whole server as its users see it
if(NOT TALLYMAN_TESTS OR NOT TARGET tallyman)
  return()
endif()

# tallyman_outside_test(NAME FILE LABEL SECONDS)
function(tallyman_outside_test name file label seconds)
  add_test(NAME ${name} COMMAND /usr/bin/python3 -B ${PROJECT_SOURCE_DIR}/tests/${file})
  set_tests_properties(${name} PROPERTIES
    LABELS ${label} TIMEOUT ${seconds}
    ENVIRONMENT "TALLYMAN_BINARY=$<TARGET_FILE:tallyman>;PYTHONUNBUFFERED=1")
endfunction()

tallyman_outside_test(oracle          support/oracle_test.py         scenario 30)
tallyman_outside_test(scenario_text   scenario/scenario_text_test.py scenario 30)
tallyman_outside_test(scenario        scenario/run.py                scenario 300)
tallyman_outside_test(differential    scenario/differential_test.py  scenario 240)

tallyman_outside_test(kill            process/kill_test.py           process  300)
tallyman_outside_test(stop            process/stop_test.py           process  180)
tallyman_outside_test(abort           process/abort_test.py          process  120)
tallyman_outside_test(running         process/running_test.py        process  180)
tallyman_outside_test(canary          process/canary_test.py         process  120)
tallyman_outside_test(access          process/access_test.py         process  120)

tallyman_outside_test(smuggling       process/smuggling_test.py      process  60)
tallyman_outside_test(bad_record      process/bad_record_test.py     process  240)
tallyman_outside_test(slow            process/slow_test.py           process  180)
tallyman_outside_test(hostile_names   process/hostile_names_test.py  process  240)
tallyman_outside_test(gzip            process/gzip_test.py           process  120)

tallyman_outside_test(replaced_system e2e/replaced_system_test.py    e2e      120)
tallyman_outside_test(rest_upload     e2e/rest_upload_test.py        e2e      120)
tallyman_outside_test(rest_steps      e2e/rest_steps_test.py         e2e      240)
tallyman_outside_test(rest_watch      e2e/rest_watch_test.py         e2e      120)
tallyman_outside_test(cities          e2e/cities_test.py             e2e      240)
tallyman_outside_test(cli             e2e/cli_test.py                e2e      120)
tallyman_outside_test(readme          e2e/readme_test.py             e2e      90)
tallyman_outside_test(embedding       e2e/embedding_test.py        e2e      60)
