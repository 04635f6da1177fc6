uk_unit_test(ca USES ca LIBS OpenSSL::Crypto)
