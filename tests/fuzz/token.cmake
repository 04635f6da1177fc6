fuzz_target(token_message USES token)
fuzz_target(skf USES helper token uk LIBS OpenSSL::Crypto)
