package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
)

const (
	nameBytes = 200  // of one file name; file systems allow 255
	pathBytes = 1000 // of a key's folders, or of a path in a definition; systems allow 4096 for a path
)

// safeName is a file name for one that came with the data: without slashes,
// control characters and the two names that lead elsewhere. What has to be
// changed gets a mark of the original, so that different names stay different.
func safeName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r == '/' || r < 0x20 || r == 0x7f {
			return '_'
		}
		return r
	}, name)
	switch clean {
	case "", ".":
		clean = "_"
	case "..":
		clean = "__"
	}
	if len(clean) > nameBytes {
		ext := extension(clean)
		clean = strings.ToValidUTF8(clean[:nameBytes-len(ext)], "") + ext
	}
	if clean == name {
		return name
	}
	return mark(clean, fingerprint(name))
}

// safeFolders are the names of the folders that stand for a key.
func safeFolders(key string) []string {
	if key == "" {
		return nil
	}
	if len(key) > pathBytes {
		return []string{"_~" + fingerprint(key)}
	}
	var folders []string
	total := 0
	for segment := range strings.SplitSeq(key, "/") {
		name := safeName(segment)
		folders = append(folders, name)
		total += len(name) + 1
	}
	if total > pathBytes {
		return []string{"_~" + fingerprint(key)}
	}
	return folders
}

// mark puts a text before the extension of a name.
func mark(name, text string) string {
	ext := extension(name)
	return strings.TrimSuffix(name, ext) + "~" + text + ext
}

// extension is ".txt", if there is a name before it and it is short.
func extension(name string) string {
	ext := path.Ext(name)
	if ext == name || len(ext) > 16 {
		return ""
	}
	return ext
}

func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
