uk_unit_test(native_stamp USES native uk)
uk_unit_test(native SOURCES daemon_world.c daemon_client.c USES uk)
target_compile_definitions(unit-native PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so")
add_dependencies(unit-native ukeyd ukey-native ukey-token)

uk_unit_test(daemon_pin SOURCES daemon_world.c daemon_client.c daemon_issue.c daemon_ticket.c USES uk LIBS OpenSSL::Crypto)
target_compile_definitions(unit-daemon_pin PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" FAULT_MODULE="$<TARGET_FILE:fault-pkcs11>"
  SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so")
add_dependencies(unit-daemon_pin ukeyd ukey-native ukey-token fault-pkcs11)
