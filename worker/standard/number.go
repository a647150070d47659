package standard

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// Signs of encoded numbers, in their order. What is empty comes first.
const (
	noNumber byte = iota
	below
	zero
	above
)

// maxExponent bounds what may follow the e of a number.
const maxExponent = 1 << 30

// appendNumber appends a decimal number so that the bytes compare as the numbers
// do, exactly, whatever their length. ok is false for what is no number.
func appendNumber(key, text []byte) (_ []byte, ok bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return append(key, noNumber), true
	}
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	mantissa, exponent := text, 0
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(string(text[i+1:]))
		if err != nil || n > maxExponent || n < -maxExponent {
			return key, false
		}
		mantissa, exponent = text[:i], n
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	if len(whole)+len(fraction) == 0 || !areDigits(whole) || !areDigits(fraction) {
		return key, false
	}
	// 0.00123 is 123 with the point before the first digit, moved by -2.
	exponent += len(whole)
	significant := bytes.TrimLeft(whole, "0")
	exponent -= len(whole) - len(significant)
	if len(significant) == 0 {
		trimmed := bytes.TrimLeft(fraction, "0")
		exponent -= len(fraction) - len(trimmed)
		fraction = trimmed
	}
	if fraction = bytes.TrimRight(fraction, "0"); len(fraction) == 0 {
		significant = bytes.TrimRight(significant, "0")
	}
	if len(significant)+len(fraction) == 0 {
		return append(key, zero), true
	}
	begin := len(key)
	key = append(key, above)
	key = binary.BigEndian.AppendUint64(key, uint64(int64(exponent))+1<<63)
	key = append(key, significant...)
	key = append(key, fraction...)
	key = append(key, 0)
	if negative {
		invert(key[begin+1:])
		key[begin] = below
	}
	return key, true
}

func areDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// invert turns the order of a key around.
func invert(key []byte) {
	for i := range key {
		key[i] = ^key[i]
	}
}
