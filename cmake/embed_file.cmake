# cmake -DIN=FILE -DOUT=FILE.c -DNAME=name -P embed_file.cmake: a file as the C array NAME and its
# length NAME_n.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include <stddef.h>

extern const unsigned char ${NAME}[];
extern const size_t ${NAME}_n;
const unsigned char ${NAME}[] = {${bytes}0};
const size_t ${NAME}_n = sizeof(${NAME}) - 1;\n")
