package file

// LoadBytes is Load of what lies nowhere, for fuzzing.
var LoadBytes = load
