foreach(class Applicant Payment Late Desk Dual Program)
  add_test(NAME system-server-${class}
    COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/server_test.py
            ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${class})
  set_tests_properties(system-server-${class} PROPERTIES LABELS system TIMEOUT 300)
endforeach()

foreach(class Person KeyLogin Renewal Change Status Unlock Replacement Desks)
  add_test(NAME system-flows-${class}
    COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/flows_test.py
            ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${class})
  set_tests_properties(system-flows-${class} PROPERTIES LABELS system TIMEOUT 300)
endforeach()

add_test(NAME system-server-reminders
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/reminders_test.py
          ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(system-server-reminders PROPERTIES LABELS system TIMEOUT 300)
