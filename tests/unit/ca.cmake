uk_unit_test(ca USES ca LIBS OpenSSL::Crypto)
uk_unit_test(ca_issue SOURCES ca_place.c USES ca LIBS OpenSSL::Crypto)
uk_unit_test(ca_openssl SOURCES ca_place.c USES ca LIBS OpenSSL::Crypto)
uk_unit_test(ca_ocsp SOURCES ca_place.c USES ca LIBS OpenSSL::Crypto)
