uk_unit_test(workflow SOURCES workflow_fixture.c USES workflow store uk)

uk_unit_test(workflow_certificate SOURCES workflow_fixture.c ca_place.c
  USES workflow ca store uk LIBS OpenSSL::Crypto)

# UK_GOLDEN_WRITE=1 in the environment writes the golden file anew.
uk_unit_test(workflow_table USES workflow store uk)
target_compile_definitions(unit-workflow_table PRIVATE
  UK_GOLDEN="${CMAKE_SOURCE_DIR}/tests/golden/order_table.txt")

uk_unit_test(workdays USES workflow uk)

uk_unit_test(workflow_renewal USES workflow ca store uk)
