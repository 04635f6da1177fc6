fuzz_target(soft_state USES soft uk LIBS OpenSSL::Crypto)
fuzz_target(soft_fault USES soft uk)
