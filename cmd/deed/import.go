package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api/client"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/upkeep"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/process"
)

func (a *app) importing() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a process that was archived elsewhere",
		Long: `Import verifies the file of an archive, stores it beside the blobs, and lists the
process here, as archived: it is shown as where it comes from. The lists of what
it wrote come with it; the data itself stays where it is.

The same file again changes nothing. An ID that another process has here is refused.`,
		Example: "  deed import word-count-x7.tar.gz\n  deed import word-count-x7.tar.gz --data archive",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return &usageError{err}
			}
			defer file.Close()
			if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
				return usagef("%s: it is no file: an archive is read several times, so that a pipe is not enough", args[0])
			}
			if a.server == "" {
				if err := os.MkdirAll(a.data, 0o700); err != nil {
					return &usageError{fmt.Errorf("open folder %q: %w; choose another with --data", a.data, err)}
				}
			}
			var did wire.Archived
			err = a.attached(cmd.Context(), func(ctx context.Context, r *deed.Runtime) error {
				if _, err := file.Seek(0, io.SeekStart); err != nil {
					return err
				}
				var err error
				did, err = upkeep.Of(r).ImportArchive(ctx, file, wire.Asked{By: person(), Reason: reason})
				return err
			})
			if err != nil {
				return importError(args[0], err)
			}
			if a.output == "json" {
				return a.printJSON(did)
			}
			text := fmt.Sprintf("imported %s: %s", did.ID, amount.Of(int(did.Events), "event"))
			if !did.Changed {
				text = did.ID + " is here already"
			}
			_, err = fmt.Fprintln(a.stdout, text)
			return err
		},
	}
	reasonFlag(cmd, &reason)
	a.dataFlag(cmd)
	a.outputFlag(cmd, "json")
	return cmd
}

// importError says of a file why it was not taken in.
func importError(path string, err error) error {
	var refused *process.RefusedError
	var file *orchestrator.ArchiveFileError
	var answer *orchestrator.AnswerError
	switch {
	case errors.As(err, &refused):
		return refusal(refused.Process, err)
	case errors.As(err, &answer): // of a server
		return &refusedError{answer.Text}
	case errors.As(err, &file), client.IsCode(err, wire.CodeArchiveFile):
		return &usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return fmt.Errorf("import %s: %w", path, err)
}
