"""wrong_pins.py MODULE TRIES: spends a virtual UKEY's PIN tries as a stranger with the key would, by the
module itself (GM/T 0016-2012, SKF_VerifyPIN).  The key is the only one in."""
import ctypes
import sys

USER = 1
SAR_PIN_LOCKED = 0x0A000025

skf = ctypes.CDLL(sys.argv[1])


def ok(sar):
    if sar != 0:
        sys.exit(f"SAR {sar:#x}")


def names(enumerate_):
    size = ctypes.c_uint32(4096)
    room = ctypes.create_string_buffer(size.value)
    ok(enumerate_(room, ctypes.byref(size)))
    return [name for name in room.raw[: size.value].split(b"\0") if name]


device = ctypes.c_void_p()
application = ctypes.c_void_p()
ok(skf.SKF_ConnectDev(names(lambda room, size: skf.SKF_EnumDev(1, room, size))[0], ctypes.byref(device)))
ok(skf.SKF_OpenApplication(device, names(lambda room, size: skf.SKF_EnumApplication(device, room, size))[0],
                           ctypes.byref(application)))
left = ctypes.c_uint32()
for n in range(int(sys.argv[2])):
    sar = skf.SKF_VerifyPIN(application, USER, f"9{n:07d}".encode(), ctypes.byref(left))
    if sar == 0:
        sys.exit("that was right")
print(f"{left.value} left, {'locked' if sar == SAR_PIN_LOCKED else hex(sar)}")
