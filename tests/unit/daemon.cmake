uk_unit_test(daemon_policy USES policy uk LIBS PkgConfig::JANSSON)
uk_unit_test(daemon_gate USES policy uk)
uk_unit_test(daemon_prompt USES policy loop uk)
uk_unit_test(daemon_cms SOURCES daemon_sm2_reader.c USES protocol uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_envelope SOURCES daemon_sm2_envelope.c USES protocol uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_rpc SOURCES daemon_conn.c daemon_env.c
  USES protocol policy loop uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_sm2 SOURCES daemon_conn.c daemon_env.c daemon_sm2_reader.c daemon_sm2_envelope.c
  USES protocol policy loop uk LIBS OpenSSL::Crypto)
uk_unit_test(daemon_system SOURCES daemon_client.c daemon_issue.c USES uk LIBS OpenSSL::Crypto)
target_compile_definitions(unit-daemon_prompt PRIVATE
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry")
foreach(t daemon_rpc daemon_sm2)
  target_compile_definitions(unit-${t} PRIVATE PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry")
endforeach()
target_compile_definitions(unit-daemon_system PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" HELPER="$<TARGET_FILE:ukey-token>" UKEY="$<TARGET_FILE:ukey>"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry")
add_dependencies(unit-daemon_system ukeyd ukey ukey-token)
