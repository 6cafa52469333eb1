package edge

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tofu-registrar/registrar/registrydata"
)

// What the publisher stores with its files, but that a list lives longer here:
// a slow machine must not see it end by itself.
const (
	listControl     = "public, max-age=240"
	downloadControl = "public, max-age=86400"
)

// bucket is the R2 bucket behind the Worker, by its S3 API.
type bucket struct{ api *s3.Client }

func (w *workerd) bucket() bucket {
	return bucket{api: s3.New(s3.Options{
		Region:       "auto",
		BaseEndpoint: aws.String(w.s3Endpoint),
		UsePathStyle: true,
		HTTPClient:   w.client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey}, nil
		}),
		APIOptions: []func(*middleware.Stack) error{unsignedAcceptEncoding},
	})}
}

// put stores an object as the publisher does.
func (b bucket) put(t *testing.T, path string, body []byte, cacheControl string) {
	t.Helper()
	_, err := b.api.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucketName), Key: aws.String(path), Body: bytes.NewReader(body),
		ContentType: aws.String("application/json"), CacheControl: aws.String(cacheControl),
	})
	if err != nil {
		t.Fatalf("put %s: %v", path, err)
	}
}

// publish stores rendered answers in the order in which they come, and returns
// their paths.
func (b bucket) publish(t *testing.T, objects []registrydata.Object) []string {
	t.Helper()
	var paths []string
	for _, o := range objects {
		lifetime := downloadControl
		if o.Kind == registrydata.VersionList {
			lifetime = listControl
		}
		b.put(t, o.Path, o.Body, lifetime)
		paths = append(paths, o.Path)
	}
	return paths
}

type acceptEncoding struct{}

// unsignedAcceptEncoding keeps Accept-Encoding out of the signature: workerd
// gives the simulated bucket another value than the one that was sent. R2
// itself gets it as it is.
func unsignedAcceptEncoding(stack *middleware.Stack) error {
	const name = "Accept-Encoding"
	hide := middleware.FinalizeMiddlewareFunc("HideAcceptEncoding", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if header, ok := headerOf(in); ok {
			ctx = middleware.WithStackValue(ctx, acceptEncoding{}, header.Get(name))
			header.Del(name)
		}
		return next.HandleFinalize(ctx, in)
	})
	show := middleware.FinalizeMiddlewareFunc("ShowAcceptEncoding", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if value, _ := middleware.GetStackValue(ctx, acceptEncoding{}).(string); value != "" {
			if header, ok := headerOf(in); ok {
				header.Set(name, value)
			}
		}
		return next.HandleFinalize(ctx, in)
	})
	if err := stack.Finalize.Insert(hide, "Signing", middleware.Before); err != nil {
		return err
	}
	return stack.Finalize.Insert(show, "Signing", middleware.After)
}

func headerOf(in middleware.FinalizeInput) (http.Header, bool) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return nil, false
	}
	return req.Header, true
}
