package definition

import "github.com/deedrun/deed/task"

// AllFiles lists the files of the definition and of all children in it. Names may
// stand for several: a child's files are its own.
func (d Definition) AllFiles() []task.File {
	files := d.Files[:len(d.Files):len(d.Files)]
	for _, s := range d.Steps {
		if s.Process != nil {
			files = append(files, s.Process.AllFiles()...)
		}
	}
	return files
}
