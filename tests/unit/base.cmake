uk_unit_test(base USES uk)
uk_unit_test(x509 USES uk LIBS OpenSSL::Crypto)
