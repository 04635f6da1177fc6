/** Serial numbers are written with and without leading zeros, in letters of either case. */
export function sameSerial(one: string, other: string): boolean {
	const plain = (serial: string) => serial.toLowerCase().replace(/^0+/, "");
	return plain(one) === plain(other);
}
