uk_unit_test(native_stamp USES native uk)
uk_unit_test(native SOURCES daemon_world.c daemon_client.c USES uk)
target_compile_definitions(unit-native PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so")
add_dependencies(unit-native ukeyd ukey-native ukey-token)
