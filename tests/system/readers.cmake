add_test(NAME system-readers
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/readers_test.py
          ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(system-readers PROPERTIES LABELS system TIMEOUT 300 SKIP_RETURN_CODE 77)
