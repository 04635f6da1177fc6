# The manual pages tell of every option that --help tells of.
add_test(NAME system-man
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/man_test.py
          $<TARGET_FILE_DIR:ukeyd> ${CMAKE_SOURCE_DIR}/installer/man)
set_tests_properties(system-man PROPERTIES LABELS quick TIMEOUT 60)
