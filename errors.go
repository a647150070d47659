package deed

import "github.com/deedrun/deed/internal/folder"

// UnreachableError says that a server cannot be reached.
type UnreachableError struct{ err error }

func (e *UnreachableError) Error() string { return e.err.Error() }
func (e *UnreachableError) Unwrap() error { return e.err }

// finalError is one that the next server of the folder would give as well.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// NoFolderError says that there is no data yet in the folder of its name, Dir.
type NoFolderError = folder.NoFolderError
