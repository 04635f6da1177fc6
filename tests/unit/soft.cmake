# Parts of the virtual UKEY; what a client sees is in tests/skf.
uk_unit_test(soft_state USES soft uk LIBS OpenSSL::Crypto)
uk_unit_test(soft_disk USES soft uk LIBS OpenSSL::Crypto)
uk_unit_test(soft_vectors USES soft uk LIBS OpenSSL::Crypto)
