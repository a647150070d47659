package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Granted are the places where inputs lie that were given in this folder.
func (f Folder) Granted() ([]string, error) {
	data, err := os.ReadFile(f.reads())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return strings.Fields(string(data)), nil
}

// Grant adds a place. Two who do so at once may both add it.
func (f Folder) Grant(area string) error {
	known, err := f.Granted()
	if err == nil && slices.Contains(known, area) {
		return nil
	}
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(f.reads(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	if err == nil {
		_, err = file.WriteString(area + "\n") // one write: lines do not mix
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("note where inputs lie: %w", err)
	}
	return nil
}
