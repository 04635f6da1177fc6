uk_unit_test(daemon_policy USES policy uk LIBS PkgConfig::JANSSON)
uk_unit_test(daemon_gate USES policy uk)
uk_unit_test(daemon_prompt USES policy loop uk)
uk_unit_test(daemon_cms SOURCES daemon_sm2_reader.c USES protocol uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_envelope USES protocol uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_rpc SOURCES daemon_conn.c USES protocol policy loop uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_system SOURCES daemon_client.c daemon_issue.c USES uk LIBS OpenSSL::Crypto)
target_compile_definitions(unit-daemon_prompt PRIVATE
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry")
target_compile_definitions(unit-daemon_rpc PRIVATE
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry")
target_compile_definitions(unit-daemon_system PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" HELPER="$<TARGET_FILE:ukey-token>" UKEY="$<TARGET_FILE:ukey>"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry")
add_dependencies(unit-daemon_system ukeyd ukey ukey-token)
