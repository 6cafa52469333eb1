package sandbox

import (
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// releaseEdit is the request of POST and PATCH releases; nil fields stay.
type releaseEdit struct {
	Tag        *string `json:"tag_name"`
	Target     *string `json:"target_commitish"`
	Name       *string `json:"name"`
	Body       *string `json:"body"`
	Draft      *bool   `json:"draft"`
	Prerelease *bool   `json:"prerelease"`
}

// createRelease makes a release and, unless it is a draft, its tag. Call with
// refsMu and the lock held.
func (s *Server) createRelease(by *actor, r *repository, in releaseEdit) (*release, error) {
	if in.Tag == nil || strings.TrimSpace(*in.Tag) == "" {
		return nil, missingField("Release", "tag_name")
	}
	now := s.now()
	rel := &release{id: s.nextID(), repo: r, author: by.user, created: now, updated: now, draft: true,
		target: r.defaultBranch, untaggedKey: "untagged-" + randomToken(10)}
	if err := s.applyRelease(rel, in); err != nil {
		return nil, err
	}
	if in.Draft == nil || !*in.Draft {
		if err := s.tagRelease(by, rel); err != nil {
			return nil, err
		}
	}
	r.releases = append(r.releases, rel)
	if in.Draft != nil && *in.Draft {
		// GitHub tells nobody about drafts.
		return rel, nil
	}
	s.publishRelease(by, rel, "created")
	return rel, nil
}

// applyRelease writes the given fields except the draft flag.
func (s *Server) applyRelease(rel *release, in releaseEdit) error {
	if in.Tag != nil && *in.Tag != rel.tag {
		if !goodRef("refs/tags/" + *in.Tag) {
			return customError("Release", "tag_name is not a valid tag")
		}
		for _, other := range rel.repo.releases {
			if other != rel && other.tag == *in.Tag && !other.draft {
				return invalid(fieldError{Resource: "Release", Code: "already_exists", Field: "tag_name"})
			}
		}
		rel.tag = *in.Tag
	}
	if in.Target != nil && *in.Target != "" {
		rel.target = *in.Target
	}
	if in.Name != nil {
		rel.name = *in.Name
	}
	if in.Body != nil {
		if len([]rune(*in.Body)) > 125_000 {
			return tooLong("Release", "body", 125_000)
		}
		rel.body = *in.Body
	}
	if in.Prerelease != nil {
		rel.prerelease = *in.Prerelease
	}
	return nil
}

// tagRelease makes the tag from target_commitish when there is none.
func (s *Server) tagRelease(by *actor, rel *release) error {
	name := "refs/tags/" + rel.tag
	if _, found := rel.repo.git.ref(name); found {
		return nil
	}
	if len(rel.repo.git.refsUnder("refs/heads/")) == 0 {
		return customError("Release", "Repository is empty.")
	}
	if other, taken := rel.repo.git.inTheWay(name); taken {
		return customError("Release", "tag_name can't be created beside "+other)
	}
	commit, found := rel.repo.git.findCommit(rel.target)
	if !found {
		return invalidField("Release", "target_commitish")
	}
	if err := rel.repo.git.setRef(name, commit.Hash); err != nil {
		return err
	}
	return s.refMoved(by, rel.repo, name, plumbing.ZeroHash, commit.Hash)
}

// publishRelease makes a release public and sends the events that GitHub
// sends: published, released or prereleased, and created for one that was never
// a draft.
func (s *Server) publishRelease(by *actor, rel *release, before ...string) {
	rel.draft, rel.published = false, s.now()
	after := "released"
	if rel.prerelease {
		after = "prereleased"
	}
	for _, action := range append(before, "published", after) {
		s.emitRelease(by, rel, action, nil)
	}
}

// editRelease changes a release; draft false publishes a draft.
func (s *Server) editRelease(by *actor, rel *release, in releaseEdit) error {
	oldName, oldBody, wasPre := rel.name, rel.body, rel.prerelease
	if err := s.applyRelease(rel, in); err != nil {
		return err
	}
	rel.updated = s.now()
	switch {
	case in.Draft != nil && !*in.Draft && rel.draft:
		if err := s.tagRelease(by, rel); err != nil {
			return err
		}
		s.publishRelease(by, rel)
		return nil
	case in.Draft != nil && *in.Draft && !rel.draft:
		s.emitRelease(by, rel, "unpublished", nil)
		rel.draft = true
		return nil
	case rel.draft:
		return nil
	}
	if err := s.tagRelease(by, rel); err != nil {
		return err
	}
	changes := obj{}
	if rel.name != oldName {
		changes["name"] = obj{"from": oldName}
	}
	if rel.body != oldBody {
		changes["body"] = obj{"from": oldBody}
	}
	s.emitRelease(by, rel, "edited", func() obj { return obj{"changes": changes} })
	if wasPre && !rel.prerelease {
		s.emitRelease(by, rel, "released", nil)
	}
	return nil
}

// deleteRelease removes a release and its assets; the tag stays.
func (s *Server) deleteRelease(by *actor, rel *release) {
	rel.repo.releases = slices.DeleteFunc(slices.Clone(rel.repo.releases), func(o *release) bool { return o == rel })
	if !rel.draft {
		s.emitRelease(by, rel, "deleted", nil)
	}
	for _, a := range rel.assets {
		s.dropAsset(a)
	}
}

func (s *Server) emitRelease(by *actor, rel *release, action string, more func() obj) {
	s.emit(by, rel.repo, "release", action, func() obj {
		out := obj{"release": s.releaseJSON(rel)}
		return extendBy(out, more)
	})
}

// latestRelease is the newest that is neither draft nor prerelease, by the date
// of its commit as GitHub has it; here by the date of creation.
func (r *repository) latestRelease() *release {
	for _, rel := range slices.Backward(r.releases) {
		if !rel.draft && !rel.prerelease {
			return rel
		}
	}
	return nil
}
