{"jsonrpc":"2.0","id":8,"method":"token.login","params":{"token":"T1"}}
