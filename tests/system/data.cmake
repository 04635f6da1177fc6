add_test(NAME system-data
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/data_test.py
          ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} $<TARGET_FILE:fault-pkcs11>)
set_tests_properties(system-data PROPERTIES LABELS system TIMEOUT 300)
