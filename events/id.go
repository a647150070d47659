package events

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
)

// namespace is the one of all event IDs. It never changes: IDs are known
// outside.
var namespace = [16]byte{0x6d, 0x1f, 0x0c, 0x52, 0x3b, 0x8e, 0x4f, 0x27, 0x9a, 0x64, 0x5e, 0x2d, 0x71, 0xc8, 0x0b, 0xd9}

// eventID is the version 5 UUID (RFC 9562) of the i-th event of a commit.
func eventID(commitID string, i int) string {
	name := append(make([]byte, 0, 96), namespace[:]...)
	name = append(name, commitID...)
	name = strconv.AppendInt(append(name, '/'), int64(i), 10)
	sum := sha1.Sum(name)
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[:8], sum[:4])
	hex.Encode(out[9:13], sum[4:6])
	hex.Encode(out[14:18], sum[6:8])
	hex.Encode(out[19:23], sum[8:10])
	hex.Encode(out[24:], sum[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
