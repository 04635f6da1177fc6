fuzz_target(token_message USES token)
