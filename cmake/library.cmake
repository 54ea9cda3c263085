# libtallyman.so: what an embedding program links, with the headers of include/tallyman.
if(TARGET tallyman_app)
  # What the public headers declare goes in whole; all else as it is needed.
  add_library(tallyman_library SHARED src/app/application.cc src/model/value.cc
              src/model/json.cc)
  target_link_libraries(tallyman_library PRIVATE tallyman_app)
  target_include_directories(tallyman_library
    INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(tallyman_library INTERFACE cxx_std_20)
  set_target_properties(tallyman_library PROPERTIES
    OUTPUT_NAME tallyman EXPORT_NAME tallyman LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  add_library(tallyman::tallyman ALIAS tallyman_library)

  install(TARGETS tallyman_library EXPORT tallyman LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY include/tallyman DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT tallyman NAMESPACE tallyman:: FILE tallyman-config.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tallyman)
  include(CMakePackageConfigHelpers)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/tallyman-config-version.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/tallyman-config-version.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tallyman)

  add_executable(embedded examples/embedded/main.cc)
  target_link_libraries(embedded PRIVATE tallyman::tallyman)
endif()
