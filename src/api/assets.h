// The pages, their files and the API's document, as they lie in the program.
#pragma once

#include "base/assets.h"
#include "http/message.h"

namespace novafeed {

// 200 with the bytes (packed where the client takes gzip), or 304 where the client has them. The browser keeps them
// but asks each time, so a new program shows a new page at once.
HttpResponse AnswerAsset(const Asset& asset, const HttpRequest& request);

}  // namespace novafeed
