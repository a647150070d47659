package process

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Parent is the task that a process is a child of: what the child writes is
// what that task wrote.
type Parent struct {
	Process    string `json:"process"`
	Address    string `json:"address"`
	Generation int    `json:"generation,omitempty"`
	Index      int    `json:"index"`
	Attempt    int    `json:"attempt"`
	Root       string `json:"root"` // the process above all, which has no parent
}

// String names the task: "photos-1/album[3] attempt 1".
func (p Parent) String() string {
	again := ""
	if p.Generation > 0 {
		again = fmt.Sprintf("~%d", p.Generation)
	}
	return fmt.Sprintf("%s/%s%s[%d] attempt %d", p.Process, p.Address, again, p.Index, p.Attempt)
}

// longestRoot is how much of the root's ID begins those of its children.
const longestRoot = 40

// ChildID is the ID of the child of an attempt at a task. It follows from the
// task alone, so that a repeated start meets the same child; the ID of the root
// begins it, so that people find the family together.
func ChildID(p Parent) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q %q %d %d %d", p.Process, p.Address, p.Generation, p.Index, p.Attempt)))
	return strings.TrimRight(p.Root[:min(len(p.Root), longestRoot)], "-") + "-" + hex.EncodeToString(sum[:8])
}
