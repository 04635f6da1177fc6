add_test(NAME system-sm2
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/sm2_test.py
          ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} $<TARGET_FILE:ukey-soft>)
set_tests_properties(system-sm2 PROPERTIES LABELS system TIMEOUT 300)
