uk_unit_test(pay USES pay uk LIBS OpenSSL::Crypto)
