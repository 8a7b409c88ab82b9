package host

import (
	"io/fs"
	"strconv"

	"al.essio.dev/pkg/shellescape"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// step is one call of a function of commit.sh. Content, where there is some, is
// staged on the host beforehand under a name that stands in for stagedContent.
type step struct {
	words   []string
	content []byte
	mode    fs.FileMode
}

// stagedContent is the argument that becomes the name of the staged file.
const stagedContent = "\x00staged"

func call(function string, args ...string) step {
	return step{words: append([]string{function}, args...)}
}

// script turns steps into the text to run and the files that it needs staged.
func script(holder string, steps []step) (string, []remote.StagedFile) {
	text := commitLibrary + "\n" + shellescape.QuoteCommand([]string{"begin", holder}) + "\n"
	var files []remote.StagedFile
	for _, s := range steps {
		words := append([]string{}, s.words...)
		for i, w := range words {
			if w == stagedContent {
				words[i] = strconv.Itoa(len(files))
				files = append(files, remote.StagedFile{Name: words[i], Content: s.content, Mode: 0o600})
			}
		}
		text += shellescape.QuoteCommand(words) + "\n"
	}
	return text + "commit\n", files
}
