# The program `tallyman`, at the root of the build folder.
if(TARGET tallyman_app)
  set_source_files_properties(src/app/command_line.cc PROPERTIES
                              COMPILE_DEFINITIONS TALLYMAN_VERSION="${PROJECT_VERSION}")
  add_executable(tallyman src/app/main.cc)
  target_link_libraries(tallyman PRIVATE tallyman_app)
  install(TARGETS tallyman RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# The peer of bench/: a program that users would write by hand.
if(TALLYMAN_BENCH)
  enable_language(C)
  add_executable(hand_written bench/hand_written.c)
  target_link_libraries(hand_written PRIVATE SQLite::SQLite3)
  add_dependencies(benchmarks hand_written)
endif()
