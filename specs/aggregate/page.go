package aggregate

import "github.com/deedrun/deed/specs"

// Page is docs/specs.md.
func Page() string {
	return specs.Markdown("The rules of a process", introduction, Features()...)
}

const introduction = `This page is rendered from the specifications in ` + "`specs/aggregate`" + ` by
` + "`make specs`" + `; a test fails when it is out of date. Each rule is run against the real
core: *given* what happened, *when* somebody asks for something, *then* these
events follow, all of them and no others. ` + "`count[3]`" + ` is task 3 of the step at the
address ` + "`count`" + `.`
