# The program `tallyman`, at the root of the build folder.
if(TARGET tallyman_app)
  set_source_files_properties(src/app/command_line.cc PROPERTIES
                              COMPILE_DEFINITIONS TALLYMAN_VERSION="${PROJECT_VERSION}")
  add_executable(tallyman src/app/main.cc)
  target_link_libraries(tallyman PRIVATE tallyman_app)
  install(TARGETS tallyman RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
