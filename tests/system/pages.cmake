# Fails without built pages, which tests/run makes first.
add_test(NAME system-pages
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/pages_test.py
          ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${CMAKE_SOURCE_DIR}/server/portal/dist)
set_tests_properties(system-pages PROPERTIES LABELS quick TIMEOUT 120)
