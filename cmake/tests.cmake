# The outside tests: Python programs that know the server by HTTP, SQL and its command line
# alone. They run with Debian's Python, its standard library and its psycopg2.
#
#   ctest -L scenario        every scenario in every configuration
#   ctest -L process         kills, stops, aborts, access
#   ctest -L e2e             the whole server as its users see it
#   ctest -R postgres_       what runs on a PostgreSQL database; the rest runs on SQLite
if(NOT TALLYMAN_TESTS OR NOT TARGET tallyman)
  return()
endif()

# tallyman_outside_test(NAME FILE LABEL SECONDS)    on SQLite
# tallyman_postgres_test(NAME FILE LABEL SECONDS)   on PostgreSQL, as postgres_NAME
# tallyman_test_on_both(NAME FILE LABEL SECONDS SECONDS_ON_POSTGRES)
#
# SECONDS: what ends a test that hangs; three times what it takes on two cores that others use.
# The longest are started first.
function(tallyman_outside_test name file label seconds)
  add_test(NAME ${name} COMMAND /usr/bin/python3 -B ${PROJECT_SOURCE_DIR}/tests/${file})
  if(TALLYMAN_SANITIZE)
    math(EXPR seconds "${seconds} * 4")
  endif()
  set_tests_properties(${name} PROPERTIES
    LABELS ${label} TIMEOUT ${seconds} COST ${seconds}
    ENVIRONMENT "TALLYMAN_BINARY=$<TARGET_FILE:tallyman>;PYTHONUNBUFFERED=1${sanitized}")
endfunction()

function(tallyman_postgres_test name file label seconds)
  tallyman_outside_test(postgres_${name} ${file} ${label} ${seconds})
  set_property(TEST postgres_${name} APPEND PROPERTY
               ENVIRONMENT "TALLYMAN_TEST_DATABASE=postgresql")
  set_property(TEST postgres_${name} APPEND PROPERTY LABELS on_postgres)
endfunction()

function(tallyman_test_on_both name file label seconds seconds_on_postgres)
  tallyman_outside_test(${name} ${file} ${label} ${seconds})
  tallyman_postgres_test(${name} ${file} ${label} ${seconds_on_postgres})
endfunction()

# A sanitized program is many times slower: fewer repetitions (counts.py), more patience. Its
# first finding ends it.
set(sanitized "")
if(TALLYMAN_SANITIZE)
  string(APPEND sanitized ";TALLYMAN_SANITIZED=${TALLYMAN_SANITIZE};TALLYMAN_SCALE=0.1;TALLYMAN_PATIENCE=8"
         ";ASAN_OPTIONS=detect_stack_use_after_return=1:exitcode=66;UBSAN_OPTIONS=print_stacktrace=1:exitcode=66"
         ";TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")
endif()

tallyman_test_on_both(oracle          support/oracle_test.py         scenario 30  60)
tallyman_test_on_both(scenario_text   scenario/scenario_text_test.py scenario 30  60)
tallyman_test_on_both(scenario        scenario/run.py                scenario 300 3000)
tallyman_test_on_both(differential    scenario/differential_test.py  scenario 240 600)

tallyman_test_on_both(kill            process/kill_test.py           process  300 3000)
tallyman_test_on_both(stop            process/stop_test.py           process  180 300)
tallyman_test_on_both(abort           process/abort_test.py          process  300 400)
tallyman_test_on_both(race            process/race_test.py           process  300 900)
tallyman_outside_test(lease           process/lease_test.py          process  180)
tallyman_outside_test(lock            process/lock_test.py           process  180)
tallyman_test_on_both(running         process/running_test.py        process  180 180)
tallyman_outside_test(limits          process/limits_test.py         process  120)
tallyman_outside_test(upgrade         process/upgrade_test.py        process  60)
tallyman_test_on_both(canary          process/canary_test.py         process  120 120)
tallyman_test_on_both(access          process/access_test.py         process  120 120)
tallyman_outside_test(parallel        process/parallel_test.py       process  300)

tallyman_outside_test(smuggling       process/smuggling_test.py      process  60)
tallyman_test_on_both(bad_record      process/bad_record_test.py     process  240 900)
tallyman_outside_test(slow            process/slow_test.py           process  180)
tallyman_test_on_both(hostile_names   process/hostile_names_test.py  process  240 600)
tallyman_outside_test(gzip            process/gzip_test.py           process  120)

# What only PostgreSQL has: nodes, connections, other writers.
tallyman_postgres_test(connection     process/connection_test.py     process  1200)
tallyman_postgres_test(contention     process/contention_test.py     process  3000)
tallyman_postgres_test(transient      process/transient_test.py      process  600)
tallyman_postgres_test(nodes          process/nodes_test.py          process  900)
tallyman_postgres_test(pooler         process/pooler_test.py         process  180)
tallyman_postgres_test(parallel       process/parallel_test.py       process  3000)
tallyman_postgres_test(roles          process/roles_test.py          process  300)
tallyman_postgres_test(django         e2e/django_test.py             e2e      120)

tallyman_test_on_both(replaced_system e2e/replaced_system_test.py   e2e      120 400)
tallyman_test_on_both(rest_upload     e2e/rest_upload_test.py       e2e      120 120)
tallyman_test_on_both(rest_steps      e2e/rest_steps_test.py        e2e      240 120)
tallyman_test_on_both(rest_watch      e2e/rest_watch_test.py        e2e      120 120)
tallyman_outside_test(cities          e2e/cities_test.py             e2e      240)
tallyman_test_on_both(cli             e2e/cli_test.py               e2e      120 200)
tallyman_outside_test(readme          e2e/readme_test.py             e2e      90)
tallyman_test_on_both(embedding       e2e/embedding_test.py        e2e      60 60)
tallyman_test_on_both(hostile         e2e/hostile_test.py           e2e      120 120)

# Faults are injected from outside (docs/decisions/008): loaded into the program by a test.
add_library(tallyman_faults SHARED tests/faults/fault_injection.cc)
target_compile_options(tallyman_faults PRIVATE -fno-sanitize=all)
target_link_options(tallyman_faults PRIVATE -fno-sanitize=all)
target_link_libraries(tallyman_faults PRIVATE ${CMAKE_DL_LIBS})
target_include_directories(tallyman_faults
  PRIVATE $<TARGET_PROPERTY:PkgConfig::PQ,INTERFACE_INCLUDE_DIRECTORIES>)

tallyman_test_on_both(crash_points    process/crash_points_test.py   process  400 1800)
tallyman_outside_test(disk_faults     process/disk_faults_test.py    process  400)
tallyman_outside_test(disk_faults_around process/disk_faults_around_test.py process 400)
